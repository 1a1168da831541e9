"""A folder for this run's sockets that nobody else may enter, gone when the run is.

Layout: ``<runtime folder>/xray-ops/<random>/``, each with a file ``alive`` that its run keeps
locked. The kernel drops the lock however a run ends, so an unlocked one is a leftover; making
and sweeping are done under one lock of the parent, so no run is swept before it holds its own.
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
    """Yield a new folder with mode 0700; sweep what killed runs of this user left.

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
    """Return the folder of this user's runs, made if need be and found to be private."""
    for folder in _candidates():
        if len(os.fsencode(folder)) + _ROOM_FOR_A_NAME > LONGEST:
            continue
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or not is_private(found):
            raise OpsError(f"{folder} must be yours and closed to others (0700): remove it")
        return folder
    raise OpsError("no folder for private sockets: set XDG_RUNTIME_DIR to a short path of yours")


def _candidates() -> Iterator[Path]:
    """Yield where the runs' folder may lie: in the user's runtime folder, else a temporary one."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # Under sudo the variable may still name the other user's.
    if runtime.is_absolute() and runtime.is_dir() and runtime.stat().st_uid == os.getuid():
        yield runtime / _NAME
    yield Path(tempfile.gettempdir()) / f"{_NAME}-{os.getuid()}"
    yield Path(f"/tmp/{_NAME}-{os.getuid()}")  # noqa: S108 (its owner and mode are checked)


def _sweep(parent: Path) -> None:
    """Remove the folders whose run no longer holds its lock."""
    for folder in parent.iterdir():
        if not folder.is_dir():
            continue
        try:
            alive = _lock(folder / "alive", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, FileNotFoundError):  # alive, or just gone by itself
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
    """Return a descriptor that holds *path* locked until it is closed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
