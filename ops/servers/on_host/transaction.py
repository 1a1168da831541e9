"""Swap several files as one: staged beside, then renamed; each old one stays beside until the end.

Going back is renaming too, so it works on a full disk, and after a power cut.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from ops.servers.on_host import files, places

NEW = ".xray-ops-new"
OLD = ".xray-ops-old"


def stage_file(path: str, content: bytes, mode: int, group: str) -> None:
    """Write what *path* will hold, beside it."""
    files.at(path).parent.mkdir(parents=True, exist_ok=True)
    files.write(path + NEW, content, mode, group)


def stage_link(path: str, target: str) -> None:
    """Make what the link *path* will be, beside it."""
    beside = files.at(path + NEW)
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)


def unstage(paths: Iterable[str]) -> None:
    """Remove what was staged for *paths*."""
    for path in paths:
        files.at(path + NEW).unlink(missing_ok=True)


def begin(paths: Iterable[str], **notes: Any) -> None:
    """Note on the disk what is about to be swapped, and whatever going back must know."""
    there = {path: os.path.lexists(files.at(path)) for path in paths}
    for path in there:
        files.at(path + OLD).unlink(missing_ok=True)
    files.write(places.JOURNAL, json.dumps({**notes, "paths": there}).encode())


def note(**notes: Any) -> None:
    """Add *notes* to the journal."""
    files.write(places.JOURNAL, json.dumps({**(journal() or {}), **notes}).encode())


def journal() -> dict[str, Any] | None:
    """Return the journal of an unfinished swap, if there is one."""
    held: dict[str, Any] | None = files.read_json(places.JOURNAL)
    return held


def switch(path: str) -> None:
    """Put what is staged for *path* in place, or remove *path* if nothing is staged."""
    place, new, old = (files.at(path + suffix) for suffix in ("", NEW, OLD))
    if os.path.lexists(place):
        os.link(place, old, follow_symlinks=False)
    if os.path.lexists(new):
        new.rename(place)
    else:
        place.unlink(missing_ok=True)


def commit(paths: Iterable[str]) -> None:
    """Make the swap final."""
    files.at(places.JOURNAL).unlink(missing_ok=True)
    files.sync(files.at(places.STATE))
    for path in paths:
        files.at(path + OLD).unlink(missing_ok=True)


def undo(journal: dict[str, Any]) -> None:
    """Put every file back that *journal* names, however far the swap had come."""
    for path, was_there in journal["paths"].items():
        place, new, old = (files.at(path + suffix) for suffix in ("", NEW, OLD))
        new.unlink(missing_ok=True)
        if os.path.lexists(old):
            old.rename(place)
            old.unlink(missing_ok=True)  # still there if both were one file: rename does nothing
        elif not was_there:
            place.unlink(missing_ok=True)
