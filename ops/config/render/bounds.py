"""Limit the time and memory of rendering, because a template can loop or grow without end."""

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ops.errors import FleetError, Problem
from ops.model import Host

_ROOM = 1 << 30
"""Bytes of address space that rendering may add to the process."""


class TooLong(Exception):  # noqa: N818  not an error of templates, which `fill` would catch
    """Rendering exceeded its time limit."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Limit the block to *seconds* and 1 GiB of additional memory.

    Only a main thread receives signals. In another thread nothing is limited.

    Raises:
        TooLong: the block took longer.
        MemoryError: the block asked for more memory.
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
    """Limit the block, which renders *host*, as :func:`bounded` does.

    Raises:
        FleetError: the block took too much time or memory.
    """
    try:
        with bounded(seconds):
            yield
    except (TooLong, MemoryError):
        message = f"rendering {host.name} took too long or too much memory: a template loops"
        remedy = "look for a loop in the fleet's templates/"
        raise FleetError([Problem("templates", 0, message, remedy)]) from None


def _room(hard: int) -> int:
    """Return the limit of address space: the present size of the process, and 1 GiB."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123  faster; runs once for each host
            pages = int(file.read().split()[0])
    except OSError:  # not Linux
        return hard
    wanted = pages * resource.getpagesize() + _ROOM
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _too_long(*_: Any) -> None:
    raise TooLong
