"""A loop for programs that have none: it ends tidily, however it ends."""

import asyncio
import resource
import signal
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
FILES_A_HOST = 4
"""Open at once over one line: its ssh, and the listening and both connected ends of its forward."""


@contextmanager
def runner(hosts: int) -> Iterator["Runner"]:
    """Yield what runs coroutines that reach up to *hosts* hosts at once."""
    _allow_files(hosts * FILES_A_HOST + 256)
    with asyncio.Runner() as loop_runner:
        yield Runner(loop_runner)


class Runner:
    """Runs coroutines one after the other in one loop.

    At Ctrl-C (KeyboardInterrupt) and SIGTERM (SystemExit 143) the coroutine is cancelled first,
    so that sockets and files are gone when the exception comes out.
    """

    def __init__(self, loop_runner: asyncio.Runner) -> None:
        self._runner = loop_runner

    def run(self, work: Awaitable[T]) -> T:
        """Return what *work* returns."""
        outcome: list[T] = []

        async def keep() -> None:
            # Not returned: on its way out asyncio.Runner makes the repr of what is, twice, and
            # that of a thousand hosts' readings takes longer than reading some of them.
            outcome.append(await _until_terminated(work))

        self._runner.run(keep())
        return outcome[0]


async def _until_terminated(work: Awaitable[T]) -> T:
    if threading.current_thread() is not threading.main_thread():
        return await work  # only the main thread is told of signals
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    terminated = asyncio.Event()

    def terminate() -> None:
        terminated.set()
        if task:
            task.cancel()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await work
    except asyncio.CancelledError:
        if terminated.is_set():
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _allow_files(wanted: int) -> None:
    """Let this process have *wanted* files open, as far as its hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
