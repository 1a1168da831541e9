"""Read and write files safely: a write is complete or does not happen, and no read blocks.

Functions raise OSError if a file cannot be read or written. :func:`sentence` makes a message of it
with the file and a remedy.
"""

import errno
import fcntl
import os
import pwd
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from ops.errors import OpsError

LARGEST = 64 * 1024 * 1024
"""The largest file that is read, in bytes. A text of people is smaller."""
_AGAIN = 0.02
"""Seconds between two attempts to lock."""
_KINDS = {
    stat.S_IFDIR: "is a folder, where a file belongs",
    stat.S_IFIFO: "is a named pipe, where a file belongs",
    stat.S_IFSOCK: "is a socket, where a file belongs",
    stat.S_IFCHR: "is a device, where a file belongs",
    stat.S_IFBLK: "is a device, where a file belongs",
}
_WHY = {
    errno.ENOENT: ("is missing", "check its path"),
    errno.ENOTDIR: ("cannot be reached: a file stands where a folder belongs", "check its path"),
    errno.ELOOP: ("is a link that leads back to itself", "put the file itself there"),
    errno.EISDIR: ("is a folder, where a file belongs", "move it away"),
    errno.EEXIST: ("is there already", "choose another name"),
    errno.ENAMETOOLONG: ("has too long a name", "choose a shorter one"),
    errno.EROFS: ("lies on a read-only file system", "make it writable, or use another folder"),
    errno.ENOSPC: ("cannot be written: the disk is full", "make room and try again"),
    errno.EDQUOT: ("cannot be written: your disk quota is used up", "make room and try again"),
    errno.EMFILE: ("cannot be opened: too many files are open", "raise `ulimit -n`"),
}
_DENIED = (errno.EACCES, errno.EPERM)
_MARKER = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)


class ContentError(OSError):
    """A path does not lead to a text file. *line* counts from 1, or is 0 for the whole file."""

    def __init__(self, path: Path | str, why: str, remedy: str, line: int = 0) -> None:
        super().__init__(errno.EINVAL, why, str(path))
        self.remedy = remedy
        self.line = line


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """Return the file at *path*; OSError also if it is no regular file or over *most* bytes."""
    must_be_file(path)
    with _errors_name(path):
        # O_NONBLOCK: the path can become a pipe after the check.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            data = file.read(most + 1)
    if len(data) > most:
        raise ContentError(path, f"is over {most >> 20} MiB", "put the right file there")
    return data


def read_text(path: Path) -> str:
    """Return the text of the file at *path*; OSError also if it is not clean UTF-8 text."""
    data = read_bytes(path)
    text = decode_text(path, data)
    if line := conflict_line(data):
        raise conflict_error(path, line)
    return text


def decode_text(path: Path | str, data: bytes) -> str:
    """Return *data*, the bytes of the file at *path*, as text.

    ContentError if they are not UTF-8, or if they hold a byte order mark or a NUL byte.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContentError(path, "is UTF-16 text", "save the file as UTF-8", 1)
    if data.startswith(b"\xef\xbb\xbf"):
        why = "begins with a byte order mark"
        raise ContentError(path, why, "save the file as UTF-8 without a BOM", 1)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ContentError(path, "is not UTF-8 text", "save the file as UTF-8", line) from None
    if (at := data.find(0)) >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise ContentError(path, "holds a NUL byte, so it is no text", "restore the file", line)
    return text


def conflict_line(data: bytes) -> int:
    """Return the line, from 1, of git's first conflict marker in *data*; 0 if there is none."""
    marker = _MARKER.search(data)
    return data.count(b"\n", 0, marker.start()) + 1 if marker else 0


def conflict_error(path: Path | str, line: int) -> ContentError:
    """Return the error for a file at *path* with git's conflict marker on *line*."""
    why = "holds a conflict marker of git"
    return ContentError(path, why, "choose what is right, and delete the marker lines", line)


def exists(path: Path) -> bool:
    """Return whether *path* exists, even as a broken link; OSError if its folder is closed."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def must_be_file(path: Path) -> None:
    """Raise OSError unless *path* leads to a regular file."""
    if not stat.S_ISREG(kind := path.stat().st_mode):
        why = _KINDS.get(stat.S_IFMT(kind), "is no file")
        raise ContentError(path, why, "put the file itself there")


def make_folder(path: Path) -> None:
    """Make the folder *path*, for this user alone, and the folders above it."""
    with _errors_name(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write *content* to *path* completely or not at all, with the permissions *mode*.

    It writes a file beside *path*, syncs it and renames it. The target of a link is replaced.
    OSError if *path* is a device or a folder.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if exists(path):
        must_be_file(path)
    with _errors_name(path):
        _write(path, content, mode)


def _write(path: Path, content: bytes, mode: int) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}."[:100])
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


def is_private(status: os.stat_result) -> bool:
    """Return whether only this user can access a file with this *status*."""
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077


def expand_home(written: str | Path) -> Path:
    """Return the path *written* with its ``~`` replaced, if the home folder is known."""
    return Path(os.path.expanduser(written))  # noqa: PTH111  pathlib raises RuntimeError there


def cache_folder() -> Path:
    """Return this user's folder for caches. It can be missing."""
    with _needs_home():
        return platformdirs.user_cache_path("xray-ops")


def config_folder() -> Path:
    """Return this user's folder for settings. It can be missing."""
    with _needs_home():
        return platformdirs.user_config_path("xray-ops")


@contextmanager
def _needs_home() -> Iterator[None]:
    try:
        yield
    except RuntimeError:
        raise OpsError("this user has no home folder: set HOME to a folder of yours") from None


def shown_path(path: Path) -> str:
    """Return *path* for messages: relative, if it is below the working folder."""
    try:
        return str(Path(os.path.realpath(path.parent), path.name).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def reason(error: OSError) -> tuple[str, str]:
    """Return the fault of the file in *error*, and a remedy."""
    if isinstance(error, ContentError):
        return str(error.strerror), error.remedy
    if error.errno in _DENIED and error.filename:
        return "cannot be used: permission denied", _owner(Path(os.fsdecode(error.filename)))
    if error.errno in _WHY:
        return _WHY[error.errno]
    message = (error.strerror or str(error) or type(error).__name__).lower()
    return f"cannot be used: {message}", "check it"


def sentence(error: OSError) -> str:
    """Return *error* as one sentence: the file, its fault and a remedy."""
    why, remedy = reason(error)
    if not error.filename and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the output {why}; {remedy}"
    if not error.filename:
        return f"the system says: {error.strerror or error}"
    line = f":{error.line}" if isinstance(error, ContentError) and error.line else ""
    return f"{shown_path(Path(os.fsdecode(error.filename)))}{line}: {why}; {remedy}"


def _owner(path: Path) -> str:
    """Return the remedy if this user cannot access *path*: its owner or its permissions."""
    for place in (path, *path.absolute().parents):
        try:
            status = place.lstat()
        except OSError:
            continue
        wanted = os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(status.st_mode) else 0)
        if os.access(place, wanted):
            continue
        if status.st_uid == os.geteuid():
            return f"{shown_path(place)} is yours: `chmod u+rwX` it"
        owner = _name(status.st_uid)
        return f"{shown_path(place)} belongs to {owner}: run this as {owner}, or change its rights"
    return "change its rights"


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


@contextmanager
def as_ops_error() -> Iterator[None]:
    """Raise an OSError of the block as an OpsError with its sentence."""
    try:
        yield
    except OSError as error:
        raise OpsError(sentence(error)) from None


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Raise an OSError of the block with *path*: the error of a full disk names no file."""
    try:
        yield
    except ContentError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


@contextmanager
def locked(folder: Path, patience: float = 10.0) -> Iterator[None]:
    """Lock *folder*, so that no other command of ops changes its files meanwhile.

    OpsError if another command holds the lock for *patience* seconds.

    The lock is polled, because a blocking call would stop pyinfra. Its hosts are greenlets of one
    thread, and the greenlet that holds the lock could not continue.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + patience
        while not _is_taken(handle):
            if time.monotonic() > until:
                raise OpsError(
                    f"another command is at work in {folder} (`ops secrets edit` is, while its "
                    "editor is open): end it, or try again; nothing was changed"
                )
            time.sleep(_AGAIN)
        yield
    finally:
        os.close(handle)


def _is_taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
