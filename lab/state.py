"""The state folder, which contains every file of the lab."""

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
    """Remove all files of the lab, and the folder itself if it is empty then."""
    state = state_folder()
    for part in ("labs", "image", "core", "wheels"):
        shutil.rmtree(state / part, ignore_errors=True)
    for file in state.glob("*.lock"):
        file.unlink()
    if state.exists() and not any(state.iterdir()):
        state.rmdir()


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold a lock on the file *path*, and yield its descriptor.

    The lock ends with this process. A child process that inherits the descriptor holds it, too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _taken(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(path: Path) -> int:
    """Return a descriptor with the lock on the present file at *path*.

    The last holder may have removed the file, and a lock on a removed file excludes nobody.
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
    """Return whether a process holds the lock on *path*."""
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
