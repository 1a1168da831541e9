"""A loop for programs that have none: it ends tidily, however it ends."""

import asyncio
import resource
import signal
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
TERMINATED = 128 + signal.SIGTERM
"""The exit code of a shell's child that SIGTERM ended."""
FILES_A_HOST = 4
"""Open at once over one line: its ssh, and the listening and both connected ends of its forward."""


@contextmanager
def runner(hosts: int) -> Iterator["Runner"]:
    """Yield what runs coroutines that reach up to *hosts* hosts at once."""
    _allow_files(hosts * FILES_A_HOST + 256)
    with asyncio.Runner() as loop_runner:
        run = Runner(loop_runner)
        if threading.current_thread() is not threading.main_thread():
            yield run  # only the main thread is told of signals
            return
        before = signal.signal(signal.SIGTERM, run.terminate)
        try:
            yield run
        finally:
            signal.signal(signal.SIGTERM, before)


class Runner:
    """Runs coroutines one after the other in one loop.

    At Ctrl-C (KeyboardInterrupt) and SIGTERM (SystemExit 143) the coroutine is cancelled first,
    so that sockets and files are gone when the exception comes out.
    """

    def __init__(self, loop_runner: asyncio.Runner) -> None:
        self._runner = loop_runner
        self._task: asyncio.Task[None] | None = None
        self._terminated = False

    def run(self, work: Awaitable[T]) -> T:
        """Return what *work* returns."""
        outcome: list[T] = []

        async def keep() -> None:
            # Not returned: on its way out asyncio.Runner makes the repr of what is, twice, and
            # that of a thousand hosts' readings takes longer than reading some of them.
            self._task = asyncio.current_task()
            try:
                outcome.append(await work)
            finally:
                self._task = None

        try:
            self._runner.run(keep())
        except asyncio.CancelledError:
            if self._terminated:
                raise SystemExit(TERMINATED) from None
            raise
        return outcome[0]

    def terminate(self, *_: object) -> None:
        """End what runs, as a handler of SIGTERM; between two runs, end the program."""
        self._terminated = True
        if self._task is None:
            raise SystemExit(TERMINATED)
        self._task.cancel()
        self._runner.get_loop().call_soon_threadsafe(lambda: None)  # wakes it


def _allow_files(wanted: int) -> None:
    """Let this process have *wanted* files open, as far as its hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
