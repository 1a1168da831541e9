"""Read and write files of this host. A file is written beside and renamed, never half written."""

from __future__ import annotations

import grp
import hashlib
import json
import os
from pathlib import Path
from typing import Any

ROOT = Path("/")
"""The root of the file system. Tests replace it."""


def at(path: str) -> Path:
    """Return *path* of the host below `ROOT`."""
    return ROOT / path.lstrip("/")


def digest(path: str) -> str:
    """Return the SHA-256 of a file, or ``-> target`` for a link. Empty if *path* does not exist."""
    place = at(path)
    if place.is_symlink():
        return f"-> {place.readlink()}"
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def read_json(path: str) -> Any:
    """Return the content of the JSON file at *path*; None if it is missing or no JSON."""
    try:
        return json.loads(at(path).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def write(path: str, content: bytes, mode: int = 0o600, group: str = "root") -> None:
    """Replace the file at *path* by *content*, atomically, and sync it to the disk."""
    import tempfile  # imported here, because a look writes no file

    place = at(path)
    handle, beside = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            own(handle, group)
            os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(beside, place)  # noqa: PTH105 - also takes a str
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, path) from None
    sync(place.parent)


def sync(folder: Path) -> None:
    """Sync the names in *folder* to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder(path: str, mode: int, group: str = "root") -> None:
    """Create the folder *path* with this *mode*, owned by root and *group*."""
    place = at(path)
    place.mkdir(parents=True, exist_ok=True)
    own(place, group)
    place.chmod(mode)


def own(place: int | Path, group: str) -> None:
    """Give *place* to root and *group*. Does nothing in tests, or without root."""
    if os.geteuid() == 0 and Path("/") == ROOT:
        os.chown(place, 0, grp.getgrnam(group).gr_gid)
