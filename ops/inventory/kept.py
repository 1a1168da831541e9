"""Keep what was read of a fleet, so that the next command need not check all of it again.

A kept fleet is found by everything that made it: the bytes of its files, its folder and the home
folder, this program's own code and Python. So it is never out of date, only no longer asked for.
Checking costs a third of the start of a command, and seconds where there are thousands of hosts.
"""

import hashlib
import os
import pickle
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import platformdirs

from ops.files import replace
from ops.model import Fleet

FILES = ("hosts.toml", "keys.toml", "issued.toml")
MOST = 32
"""Fleets kept; the oldest goes first."""
_CODE = Path(__file__).parent.parent
_SUM = hashlib.sha256().digest_size


def fleet(folder: Path, read: Callable[[Path], Fleet]) -> Fleet:
    """Return the fleet in *folder*: as it was kept, or as *read* reads it, which is then kept."""
    asked = _sum(folder)
    path = platformdirs.user_cache_path("xray-ops") / "fleets" / asked
    if content := _content(path):
        kept: Fleet = pickle.loads(content)  # noqa: S301 (nobody else can have written it)
        return kept
    found = read(folder)
    with suppress(OSError):  # a full disk or a home that is not ours: it is read again next time
        if _sum(folder) == asked:  # else somebody wrote while we read
            _keep(path, pickle.dumps(found))
    return found


def _sum(folder: Path) -> str:
    whole = hashlib.sha256(repr([sys.version, folder, Path.home(), *_code()]).encode())
    for name in FILES:
        with suppress(OSError), (folder / "inventory" / name).open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
        whole.update(b"/")
    return whole.hexdigest()


def _code() -> Iterator[tuple[str, int, int]]:
    for room in ("inventory", "model"):
        for module in sorted((_CODE / room).glob("*.py")):
            found = module.stat()
            yield str(module), found.st_mtime_ns, found.st_size


def _content(path: Path) -> bytes:
    """Return what is kept at *path*; nothing where that is not whole, or not ours alone."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                return b""
            whole, content = file.read(_SUM), file.read()
    except OSError:
        return b""
    return content if hashlib.sha256(content).digest() == whole else b""


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(path, hashlib.sha256(content).digest() + content, mode=0o600)
    by_age = sorted(path.parent.iterdir(), key=lambda kept: kept.stat().st_mtime_ns)
    for oldest in by_age[:-MOST]:
        oldest.unlink(missing_ok=True)
