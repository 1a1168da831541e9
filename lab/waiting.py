"""Wait for what must become true, never for a fixed time."""

import time
from collections.abc import Callable

from lab.errors import LabError

PATIENCE = 60.0
"""Seconds; generous, because a busy machine is slow and not wrong."""


def wait_until(
    condition: Callable[[], bool],
    what: str,
    *,
    seconds: float = PATIENCE,
    pause: float = 0.02,
) -> None:
    """Return as soon as *condition* holds; LabError naming *what* after *seconds*.

    >>> wait_until(lambda: True, "the sky is up")
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(pause)
