"""A page of measurements: printed while it grows, kept in ``bench/`` once it is whole."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent


def write(name: str, lines: Iterable[str]) -> None:
    """Print each of *lines* as it comes, and keep them all as the page *name*."""
    kept = []
    for line in lines:
        print(line, flush=True)
        kept.append(line)
    (HERE / name).write_text("\n".join(kept).rstrip("\n") + "\n")


def conditions() -> str:
    """Return when and on what a measurement that begins now is made."""
    return (
        f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Linux {platform.release()}, Python {platform.python_version()}; "
        f"the load average was {os.getloadavg()[0]:.1f} when it began"
    )
