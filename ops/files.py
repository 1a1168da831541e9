"""Write files so that a reader, a crash or a second writer never meets half of one."""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.errors import OpsError

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


def is_ours_alone(found: os.stat_result) -> bool:
    """Return whether what was *found* is this user's, and closed to all others."""
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


@contextmanager
def locked(folder: Path, patience: float = 10.0) -> Iterator[None]:
    """Hold *folder* against others of ours that change its files; waits for them.

    OpsError after *patience* seconds: an editor may be open for hours.

    It asks again and again, for a call that waits would hang pyinfra: its hosts are greenlets
    of one thread, and the one that holds the folder could never go on.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + patience
        while not _taken(handle):
            if time.monotonic() > until:
                raise OpsError(
                    f"another command is at work in {folder} (`ops secrets edit` is, while its "
                    "editor is open): end it, or try again; nothing was changed"
                )
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
