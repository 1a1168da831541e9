"""Other processes that judge hosts, and that never outlive the one that asked them."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection

from ops.config.validation.one import Judge, Judged

_HERE: list[Judge] = []
"""In a worker: its judge."""


def each(judge: Judge, names: Sequence[str], workers: int) -> Iterator[Judged]:
    """Yield what is found at each host of *names*, in their order, by *workers* processes."""
    # Spawned, not forked: a fork of a process with threads can hang.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with ProcessPoolExecutor(workers, context, _prepare, (judge, theirs)) as pool:
        try:
            yield from pool.map(
                _judge, names, chunksize=max(1, min(16, len(names) // workers // 4))
            )
        except BaseException:
            ours.close()  # whoever stops early does not wait for what the workers are at
            raise
    ours.close()


def _prepare(judge: Judge, lifeline: Connection) -> None:
    _HERE[:] = [judge]
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """End this process when the other end of *lifeline* closes: the kernel closes it, too."""
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)


def _judge(name: str) -> Judged:
    return _HERE[0].judge(name)
