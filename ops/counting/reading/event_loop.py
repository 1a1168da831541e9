"""An event loop for programs that have none. It cleans up at every kind of end."""

import asyncio
import resource
import signal
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
TERMINATED = 128 + signal.SIGTERM
"""Exit code of a program that SIGTERM ended, as shells report it."""
FILES_A_HOST = 4
"""Open files for one host: its ssh connection, and three sockets of the forwarded API."""


@contextmanager
def open_event_loop(hosts: int) -> Iterator["EventLoop"]:
    """Yield an event loop that can work on up to *hosts* hosts at once."""
    _allow_files(hosts * FILES_A_HOST + 256)
    with asyncio.Runner() as runner:
        loop = EventLoop(runner)
        if threading.current_thread() is not threading.main_thread():
            yield loop  # only the main thread can handle signals
            return
        before = signal.signal(signal.SIGTERM, loop.terminate)
        try:
            yield loop
        finally:
            signal.signal(signal.SIGTERM, before)


class EventLoop:
    """Runs one coroutine after another.

    At Ctrl-C (KeyboardInterrupt) and SIGTERM (SystemExit 143) the coroutine is cancelled,
    so that it closes its sockets and files before the exception is raised.
    """

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._task: asyncio.Task[None] | None = None
        self._terminated = False

    def run(self, work: Awaitable[T]) -> T:
        """Return the result of *work*."""
        outcome: list[T] = []

        async def store_outcome() -> None:
            # Not returned, because asyncio.Runner makes the repr of a returned value twice. For
            # the readings of a thousand hosts that takes longer than reading some of them.
            self._task = asyncio.current_task()
            try:
                outcome.append(await work)
            finally:
                self._task = None

        try:
            self._runner.run(store_outcome())
        except asyncio.CancelledError:
            if self._terminated:
                raise SystemExit(TERMINATED) from None
            raise
        return outcome[0]

    def terminate(self, *_: object) -> None:
        """Cancel the running coroutine; without one, end the program. A handler of SIGTERM."""
        self._terminated = True
        if self._task is None:
            raise SystemExit(TERMINATED)
        self._task.cancel()
        self._runner.get_loop().call_soon_threadsafe(lambda: None)  # wakes the loop


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files to *wanted*, or to the hard limit if that is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
