"""Worker processes that judge hosts, and end when the main process ends."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection

from ops.config.validation.one import Judge, Judged

_JUDGE: list[Judge] = []
"""In a worker: its judge, set by ``_prepare``; empty in the main process."""


def each(judge: Judge, names: Sequence[str], workers: int) -> Iterator[Judged]:
    """Yield the result of each host of *names*, in their order; *workers* processes judge them."""
    # Spawned, not forked: a fork of a process with threads can hang.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with ProcessPoolExecutor(workers, context, _prepare, (judge, theirs)) as pool:
        try:
            yield from pool.map(
                _judge, names, chunksize=max(1, min(16, len(names) // workers // 4))
            )
        except BaseException:
            ours.close()  # ends the workers at once, so that an early stop does not wait for them
            raise
    ours.close()


def _prepare(judge: Judge, lifeline: Connection) -> None:
    _JUDGE[:] = [judge]
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """End this process when the other end of *lifeline* closes.

    The kernel closes it when the main process dies.
    """
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)


def _judge(name: str) -> Judged:
    return _JUDGE[0].judge(name)
