"""The cache of checked fleets, so that the next command does not check the same files again.

The name of an entry is a hash of all inputs: the bytes of the fleet's files, the paths of its
folder and the home folder, the code of the reader, and Python's version. Checking takes a third of
the start of a command, and seconds for thousands of hosts. If the cache cannot be used, the fleet
is read.
"""

import hashlib
import os
import pickle
import re
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs

from ops.files import is_private, read_bytes, write_atomically
from ops.model import Fleet

FILES = ("hosts.toml", "keys.toml", "issued.toml")
"""The files of a fleet, in its folder inventory/."""
MOST = 32
"""The most fleets in the cache. The oldest is deleted first."""
_OPS = Path(__file__).parents[2]
_SIZE = hashlib.sha256().digest_size
_NAME = re.compile(r"[0-9a-f]{64}")


def cached_fleet(folder: Path, read: Callable[[Path], Fleet]) -> Fleet:
    """Return the fleet in *folder* from the cache, or read it with *read* and cache it."""
    name = _cache_name(folder)
    if not name:
        return read(folder)
    path = platformdirs.user_cache_path("xray-ops") / "fleets" / name
    if entry := _sealed_content(path):
        fleet: Fleet = pickle.loads(entry)  # noqa: S301 (the entry is sealed, and its folder private)
        return fleet
    fresh = read(folder)
    # A full disk, or settings that are nested too deeply for pickle: the next command reads again.
    with suppress(OSError, pickle.PicklingError, RecursionError):
        if _cache_name(folder) == name:  # the files did not change meanwhile
            _store(path, pickle.dumps(fresh))
    return fresh


def _cache_name(folder: Path) -> str:
    """Return the name of the entry for *folder*; empty if the fleet cannot be cached."""
    try:
        home = os.path.expanduser("~")  # noqa: PTH111 (it does not raise where there is none)
        if Path(home).stat().st_uid != os.geteuid():
            return ""  # sudo: root's files would be left in another user's home
        inputs = [sys.version, folder, home, *(_sum(code) for code in _code())]
        inputs += [_sum(folder / "inventory" / name) for name in FILES]
    except OSError:  # the strict reader will report the unreadable file
        return ""
    return hashlib.sha256(repr(inputs).encode()).hexdigest()


def _code() -> list[Path]:
    return sorted(
        path for room in ("fleet/inventory", "model") for path in (_OPS / room).rglob("[!.]*.py")
    )


def _sum(path: Path) -> str:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except FileNotFoundError:
        return ""


def _sealed_content(path: Path) -> bytes:
    """Return the entry at *path*; empty if it is damaged, or if another user can access it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not (stat.S_ISREG(status.st_mode) and is_private(status)):
            return b""
        seal, entry = file.read(_SIZE), file.read()
    return entry if seal == _seal(path, entry) else b""


def _seal(path: Path, entry: bytes) -> bytes:
    """Return the SHA-256 of *entry* and its name. A renamed entry is not accepted."""
    return hashlib.sha256(path.name.encode() + entry).digest()


def _store(path: Path, entry: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.parent.lstat()
    if not stat.S_ISDIR(folder.st_mode) or not is_private(folder):
        return
    write_atomically(path, _seal(path, entry) + entry, mode=0o600)
    entries = [file for file in path.parent.iterdir() if _NAME.fullmatch(file.name)]
    for oldest in sorted(entries, key=lambda file: file.stat().st_mtime_ns)[:-MOST]:
        oldest.unlink(missing_ok=True)
