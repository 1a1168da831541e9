"""A private folder (0700) for the sockets of this process, removed at its end.

Layout: ``<runtime folder>/xray-ops/<random>/``. Each has a file ``alive``, which its process locks.
The kernel releases the lock at every kind of end, so an unlocked folder is a leftover. Folders
are made and swept under one lock of the parent, so no folder is swept before its own lock is held.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.errors import OpsError
from ops.files import is_private

LONGEST = 107
"""Bytes in the path of a unix socket: 108 with its closing zero (unix(7))."""
_NAME = "xray-ops"
_ROOM_FOR_A_NAME = len("/abcd1234/123456.sock")


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a new folder with mode 0700; remove the folders of this user's killed processes.

    Raise OpsError if the user's runtime folder cannot be trusted.
    """
    parent = _parent()
    with _locked(parent / "lock"):
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix="", dir=parent))
        alive = _lock(folder / "alive")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(alive)


def _parent() -> Path:
    """Return the parent of this user's private folders; make it if it is missing.

    Raise OpsError if it is not private.
    """
    for folder in _candidates():
        if len(os.fsencode(folder)) + _ROOM_FOR_A_NAME > LONGEST:
            continue
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or not is_private(status):
            raise OpsError(f"{folder} must be yours and closed to others (0700): remove it")
        return folder
    raise OpsError("no folder for private sockets: set XDG_RUNTIME_DIR to a short path of yours")


def _candidates() -> Iterator[Path]:
    """Yield paths for the parent folder: in the user's runtime folder, then temporary ones."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # Under sudo the variable can still name the folder of the other user.
    if runtime.is_absolute() and runtime.is_dir() and runtime.stat().st_uid == os.getuid():
        yield runtime / _NAME
    yield Path(tempfile.gettempdir()) / f"{_NAME}-{os.getuid()}"
    yield Path(f"/tmp/{_NAME}-{os.getuid()}")  # noqa: S108 (its owner and mode are checked)


def _sweep(parent: Path) -> None:
    """Remove the folders that no process holds locked."""
    for folder in parent.iterdir():
        if not folder.is_dir():
            continue
        try:
            alive = _lock(folder / "alive", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, FileNotFoundError):  # in use, or removed just now
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(alive)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = _lock(path)
    try:
        yield
    finally:
        os.close(lock)


def _lock(path: Path, how: int = fcntl.LOCK_EX) -> int:
    """Lock *path*, and return a descriptor; closing it releases the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
