"""The lab's folder: everything it writes lies in here."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

VARIABLE = "XRAY_OPS_LAB"
DEFAULT = Path("/var/lib/xray-ops-lab")


def state_folder() -> Path:
    """Return the folder of images, cores and labs: ``$XRAY_OPS_LAB`` or the default."""
    return Path(os.environ.get(VARIABLE) or DEFAULT).absolute()


def clear() -> None:
    """Remove what the lab has written, and the folder itself if nothing else is in it."""
    state = state_folder()
    for part in ("labs", "image", "core", "wheels"):
        shutil.rmtree(state / part, ignore_errors=True)
    for file in state.glob("*.lock"):
        file.unlink()
    if state.exists() and not any(state.iterdir()):
        state.rmdir()


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold *path* as a lock that dies with its holder; give its file descriptor.

    A child process that inherits the descriptor keeps the lock for as long as it lives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _taken(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(path: Path) -> int:
    """Return a descriptor of *path* that holds its lock; of the file that lies there now.

    Who held it before may have removed it: a lock on what is gone keeps nobody out.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Return whether somebody alive holds *path* as a lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
