"""Keep what was read of a fleet, so that the next command need not check all of it again.

A kept fleet is found by what made it: the bytes of its files, its folder and the home folder, the
code that read them, Python. Checking costs a third of the start of a command, and seconds where
there are thousands of hosts.

Whatever stands in the way of keeping, the fleet is read.
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
"""What a fleet is read from, in its folder's inventory/."""
MOST = 32
"""Fleets kept; the oldest goes first."""
_OPS = Path(__file__).parents[2]
_SIZE = hashlib.sha256().digest_size
_NAME = re.compile(r"[0-9a-f]{64}")


def cached_fleet(folder: Path, read: Callable[[Path], Fleet]) -> Fleet:
    """Return the fleet in *folder*: as it was kept, or as *read* reads it, which is then kept."""
    name = _cache_name(folder)
    if not name:
        return read(folder)
    path = platformdirs.user_cache_path("xray-ops") / "fleets" / name
    if found := _sealed_content(path):
        kept_fleet: Fleet = pickle.loads(found)  # noqa: S301 (only we can have written it)
        return kept_fleet
    fresh = read(folder)
    # A full disk, or settings nested too deeply for pickle: it is read again next time.
    with suppress(OSError, pickle.PicklingError, RecursionError):
        if _cache_name(folder) == name:  # else somebody wrote while we read
            _store(path, pickle.dumps(fresh))
    return fresh


def _cache_name(folder: Path) -> str:
    """Return what the fleet in *folder* is kept under; empty where it cannot be kept."""
    try:
        home = os.path.expanduser("~")  # noqa: PTH111 (it does not raise where there is none)
        if Path(home).stat().st_uid != os.geteuid():
            return ""  # under sudo, it would leave root's files in somebody's home
        told = [sys.version, folder, home, *(_sum(code) for code in _code())]
        told += [_sum(folder / "inventory" / name) for name in FILES]
    except OSError:  # what cannot be read is for the strict reader to tell of
        return ""
    return hashlib.sha256(repr(told).encode()).hexdigest()


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
    """Return what is kept at *path*; nothing where that is not whole, or not ours alone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not (stat.S_ISREG(found.st_mode) and is_private(found)):
            return b""
        whole, held = file.read(_SIZE), file.read()
    return held if whole == _seal(path, held) else b""


def _seal(path: Path, held: bytes) -> bytes:
    """Return the sum of *held* under its own name: renamed, it is not accepted."""
    return hashlib.sha256(path.name.encode() + held).digest()


def _store(path: Path, held: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.parent.lstat()
    if not stat.S_ISDIR(folder.st_mode) or not is_private(folder):
        return
    write_atomically(path, _seal(path, held) + held, mode=0o600)
    ours = [kept for kept in path.parent.iterdir() if _NAME.fullmatch(kept.name)]
    for oldest in sorted(ours, key=lambda kept: kept.stat().st_mtime_ns)[:-MOST]:
        oldest.unlink(missing_ok=True)
