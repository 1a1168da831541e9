"""Run other programs of this host."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from ops.servers.on_host.failure import RolloutError


def run(
    command: Sequence[str], timeout: float = 30, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run *command*, and return the ended process, even after a failure.

    RolloutError if it does not start, or does not end within *timeout* seconds.
    """
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
            **options,
        )
    except subprocess.TimeoutExpired:
        raise RolloutError(
            f"`{' '.join(command[:3])}` did not end within {timeout:.0f} s"
        ) from None
    except OSError as error:
        raise RolloutError(f"cannot run `{command[0]}`: {error.strerror}") from None


def demand(command: Sequence[str], timeout: float = 30, **options: Any) -> str:
    """Return the stdout of *command*; RolloutError with its last line if it fails."""
    done = run(command, timeout, **options)
    if done.returncode:
        raise RolloutError(f"`{' '.join(command[:3])}` failed: {last_line(done)}")
    return done.stdout


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line of the output of *done*, or its exit status."""
    lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines()]
    return next((line for line in reversed(lines) if line), f"exit status {done.returncode}")


def properties(units: Sequence[str], names: Sequence[str]) -> list[dict[str, str]]:
    """Return the properties *names* of each of *units*, from `systemctl show`."""
    shown = demand(["systemctl", "show", *units, "--property", ",".join(names)])
    of_each = [part.splitlines() for part in shown.split("\n\n")]
    return [dict(line.split("=", 1) for line in lines if "=" in line) for lines in of_each]


def systemctl(*words: str, timeout: float = 60) -> None:
    """Run systemctl with *words*; RolloutError if it fails."""
    demand(["systemctl", *words], timeout)
