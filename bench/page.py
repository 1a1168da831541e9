"""Write a page of measurements to ``bench/``, and print it while it grows."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent


def write(name: str, lines: Iterable[str]) -> None:
    """Print each of *lines* at once, and write all of them to the page *name*."""
    written = []
    for line in lines:
        print(line, flush=True)
        written.append(line)
    (HERE / name).write_text("\n".join(written).rstrip("\n") + "\n")


def conditions() -> str:
    """Return the conditions of a measurement that begins now: date, machine, load."""
    return (
        f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Linux {platform.release()}, Python {platform.python_version()}; "
        f"the load average was {os.getloadavg()[0]:.1f} when it began"
    )
