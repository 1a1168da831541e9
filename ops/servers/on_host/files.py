"""Files of this host: written beside and renamed, so that nobody ever sees half of one."""

from __future__ import annotations

import grp
import hashlib
import json
import os
from pathlib import Path
from typing import Any

ROOT = Path("/")
"""Tests put another folder here."""


def at(path: str) -> Path:
    """Return where *path* of the host lies."""
    return ROOT / path.lstrip("/")


def digest(path: str) -> str:
    """Return the SHA-256 of a file, ``-> target`` of a link, or nothing if it is not there."""
    place = at(path)
    if place.is_symlink():
        return f"-> {place.readlink()}"
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def read_json(path: str) -> Any:
    """Return what the JSON file at *path* holds; None if there is none or it is not whole."""
    try:
        return json.loads(at(path).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def write(path: str, content: bytes, mode: int = 0o600, group: str = "root") -> None:
    """Make *path* hold *content*: at once, whole, and on the disk."""
    import tempfile  # not above: a host that only looks at itself writes nothing

    place = at(path)
    handle, beside = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            own(handle, group)
            os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(beside, place)  # noqa: PTH105 - one name for it everywhere
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, path) from None
    sync(place.parent)


def sync(folder: Path) -> None:
    """Put the names in *folder* on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder(path: str, mode: int, group: str = "root") -> None:
    """Make the folder *path*, root's, with exactly this mode and group."""
    place = at(path)
    place.mkdir(parents=True, exist_ok=True)
    own(place, group)
    place.chmod(mode)


def own(place: int | Path, group: str) -> None:
    """Make *place* root's and *group*'s; tests that are not root keep what they make."""
    if os.geteuid() == 0 and Path("/") == ROOT:
        os.chown(place, 0, grp.getgrnam(group).gr_gid)
