"""Wait for a condition, never for a fixed time."""

import time
from collections.abc import Callable

from lab.errors import LabError

PATIENCE = 60.0
"""The default limit in seconds. It is long, because a busy machine is slow."""


def wait_until(
    condition: Callable[[], bool],
    event: str,
    *,
    seconds: float = PATIENCE,
    pause: float = 0.02,
) -> None:
    """Return as soon as *condition* is true; LabError with *event* after *seconds*.

    >>> wait_until(lambda: True, "the sky is up")
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"waited {seconds:.0f} s in vain: {event}")
        time.sleep(pause)
