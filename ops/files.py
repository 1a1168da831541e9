"""Read and write files of people: never half of one, and never wait for one that is none.

What cannot be read or written is an OSError whose words a person understands;
:func:`sentence` adds the file and the remedy.
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
"""Bytes; a larger file is no text of people, and reading it would take the machine's memory."""
_AGAIN = 0.02
"""Seconds between two tries to lock."""
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
    """A path leads to no text file; *line* says where in it, from 1, or is 0."""

    def __init__(self, path: Path | str, why: str, remedy: str, line: int = 0) -> None:
        super().__init__(errno.EINVAL, why, str(path))
        self.remedy = remedy
        self.line = line


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """Return the bytes of the file at *path*.

    OSError for what is missing, closed to this user, no file, or larger than *most* bytes.
    """
    must_be_file(path)
    with _errors_name(path):
        # Whoever puts a pipe there after the check does not make this wait.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = file.read(most + 1)
    if len(found) > most:
        raise ContentError(path, f"is over {most >> 20} MiB", "put the right file there")
    return found


def read_text(path: Path) -> str:
    """Return the text of the file at *path*; OSError also for what is no clean UTF-8 text."""
    found = read_bytes(path)
    read = decode_text(path, found)
    if line := conflict_line(found):
        raise conflict_error(path, line)
    return read


def decode_text(path: Path | str, found: bytes) -> str:
    """Return *found*, the bytes of the file at *path*, as text; ContentError says why not."""
    if found.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContentError(path, "is UTF-16 text", "save the file as UTF-8", 1)
    if found.startswith(b"\xef\xbb\xbf"):
        why = "begins with a byte order mark"
        raise ContentError(path, why, "save the file as UTF-8 without a BOM", 1)
    try:
        read = found.decode()
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise ContentError(path, "is not UTF-8 text", "save the file as UTF-8", line) from None
    if (at := found.find(0)) >= 0:
        line = found.count(b"\n", 0, at) + 1
        raise ContentError(path, "holds a NUL byte, so it is no text", "restore the file", line)
    return read


def conflict_line(found: bytes) -> int:
    """Return the line, from 1, of git's first conflict marker in *found*; 0 without one."""
    marker = _MARKER.search(found)
    return found.count(b"\n", 0, marker.start()) + 1 if marker else 0


def conflict_error(path: Path | str, line: int) -> ContentError:
    """Return the error for a file at *path* with git's conflict marker on *line*."""
    why = "holds a conflict marker of git"
    return ContentError(path, why, "choose what is right, and delete the marker lines", line)


def exists(path: Path) -> bool:
    """Return whether anything lies at *path*, a broken link too; OSError if nobody may look."""
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
    """Make the folder *path* for this user alone, and those above it; OSError if it cannot be."""
    with _errors_name(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put *content* at *path* whole: written beside, synced, renamed. *mode* holds throughout.

    A link stays, and the file that it leads to is replaced. OSError for a device or a folder.
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


def is_private(found: os.stat_result) -> bool:
    """Return whether what was *found* is this user's, and closed to all others."""
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


def expand_home(written: str | Path) -> Path:
    """Return the path that *written* means; ``~`` stays where nobody knows a home for it."""
    return Path(os.path.expanduser(written))  # noqa: PTH111  pathlib raises RuntimeError there


def cache_folder() -> Path:
    """Return this user's folder for what can be made again; it may be missing."""
    with _needs_home():
        return platformdirs.user_cache_path("xray-ops")


def config_folder() -> Path:
    """Return this user's folder for settings; it may be missing."""
    with _needs_home():
        return platformdirs.user_config_path("xray-ops")


@contextmanager
def _needs_home() -> Iterator[None]:
    try:
        yield
    except RuntimeError:
        raise OpsError("this user has no home folder: set HOME to a folder of yours") from None


def shown_path(path: Path) -> str:
    """Return *path* as people would type it from here."""
    try:
        return str(Path(os.path.realpath(path.parent), path.name).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def reason(error: OSError) -> tuple[str, str]:
    """Return what *error* says of its file, and the remedy."""
    if isinstance(error, ContentError):
        return str(error.strerror), error.remedy
    if error.errno in _DENIED and error.filename:
        return "cannot be used: permission denied", _owner(Path(os.fsdecode(error.filename)))
    if error.errno in _WHY:
        return _WHY[error.errno]
    said = (error.strerror or str(error) or type(error).__name__).lower()
    return f"cannot be used: {said}", "check it"


def sentence(error: OSError) -> str:
    """Return *error* as one sentence: the file, what is wrong with it, what to do."""
    why, remedy = reason(error)
    if not error.filename and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the output {why}; {remedy}"
    if not error.filename:
        return f"the system says: {error.strerror or error}"
    line = f":{error.line}" if isinstance(error, ContentError) and error.line else ""
    return f"{shown_path(Path(os.fsdecode(error.filename)))}{line}: {why}; {remedy}"


def _owner(path: Path) -> str:
    """Return the remedy where *path* is closed to this user: who can open it."""
    for place in (path, *path.absolute().parents):
        try:
            found = place.lstat()
        except OSError:
            continue
        wanted = os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(found.st_mode) else 0)
        if os.access(place, wanted):
            continue
        if found.st_uid == os.geteuid():
            return f"{shown_path(place)} is yours: `chmod u+rwX` it"
        owner = _name(found.st_uid)
        return f"{shown_path(place)} belongs to {owner}: run this as {owner}, or change its rights"
    return "change its rights"


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


@contextmanager
def as_ops_error() -> Iterator[None]:
    """Have what goes wrong with files in the block raised as an OpsError with its sentence."""
    try:
        yield
    except OSError as error:
        raise OpsError(sentence(error)) from None


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Have errors of the block name *path*: a full disk names no file, a temporary one is none."""
    try:
        yield
    except ContentError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


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
