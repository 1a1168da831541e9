"""Write files so that a reader, a crash or a second writer never meets half of one."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_AGAIN = 0.02
"""Seconds between two tries to lock."""


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put *content* at *path* whole: written beside, synced, renamed. *mode* holds throughout."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold *folder* against others of ours that change its files; waits for them.

    It asks again and again, for a call that waits would hang pyinfra: its hosts are greenlets
    of one thread, and the one that holds the folder could never go on.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        while not _taken(handle):
            time.sleep(_AGAIN)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
