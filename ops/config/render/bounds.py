"""End what renders for too long, or takes too much memory: a template can ask for any amount."""

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ops.errors import FleetError, Problem
from ops.model import Host

_ROOM = 1 << 30
"""Bytes that rendering may take beyond what there is: a template can ask for any amount."""


class TooLong(Exception):  # noqa: N818  what templates may raise is caught; this is not one of it
    """Rendering took longer than it may."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raise TooLong where the block takes longer than *seconds*, MemoryError beyond a GiB more.

    Signals reach only a main thread; in another one nothing is bounded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_room(hard), hard))
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def rendering(host: Host, seconds: float = 20.0) -> Iterator[None]:
    """Raise FleetError where the block, which renders *host*, takes too much time or memory."""
    try:
        with bounded(seconds):
            yield
    except (TooLong, MemoryError):
        message = f"rendering {host.name} took too long or too much memory: a template loops"
        remedy = "look for a loop in the fleet's templates/"
        raise FleetError([Problem("templates", 0, message, remedy)]) from None


def _room(hard: int) -> int:
    """Return how much address space there may be: what there is, and a GiB."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123  read as it is, once a host
            pages = int(file.read().split()[0])
    except OSError:  # not Linux
        return hard
    wanted = pages * resource.getpagesize() + _ROOM
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _too_long(*_: Any) -> None:
    raise TooLong
