"""Swap several files as one.

Each new file is staged beside the old one, and then renamed into place. The old file stays beside
it until the end. Going back only renames, so it works on a full disk and after a power cut.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from ops.servers.on_host import files, places

NEW = ".xray-ops-new"
"""The suffix of a staged file."""
OLD = ".xray-ops-old"
"""The suffix of a replaced file."""


def stage_file(path: str, content: bytes, mode: int, group: str) -> None:
    """Write the new *content* of *path* beside it."""
    files.at(path).parent.mkdir(parents=True, exist_ok=True)
    files.write(path + NEW, content, mode, group)


def stage_link(path: str, target: str) -> None:
    """Make the new link to *target* beside *path*."""
    beside = files.at(path + NEW)
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)


def unstage(paths: Iterable[str]) -> None:
    """Remove the staged files of *paths*."""
    for path in paths:
        files.at(path + NEW).unlink(missing_ok=True)


def begin(paths: Iterable[str], **notes: Any) -> None:
    """Write the journal of a swap of *paths*, with *notes* for the way back."""
    existed = {path: os.path.lexists(files.at(path)) for path in paths}
    for path in existed:
        files.at(path + OLD).unlink(missing_ok=True)
    files.write(places.JOURNAL, json.dumps({**notes, "paths": existed}).encode())


def note(**notes: Any) -> None:
    """Add *notes* to the journal."""
    files.write(places.JOURNAL, json.dumps({**(journal() or {}), **notes}).encode())


def journal() -> dict[str, Any] | None:
    """Return the journal of an unfinished swap; None if there is none."""
    journal: dict[str, Any] | None = files.read_json(places.JOURNAL)
    return journal


def switch(path: str) -> None:
    """Rename the staged file of *path* into place, or remove *path* if there is none."""
    place, new, old = (files.at(path + suffix) for suffix in ("", NEW, OLD))
    if os.path.lexists(place):
        os.link(place, old, follow_symlinks=False)
    if os.path.lexists(new):
        new.rename(place)
    else:
        place.unlink(missing_ok=True)


def commit(paths: Iterable[str]) -> None:
    """End the swap: delete the journal, then the old files."""
    files.at(places.JOURNAL).unlink(missing_ok=True)
    files.sync(files.at(places.STATE))
    for path in paths:
        files.at(path + OLD).unlink(missing_ok=True)


def undo(journal: dict[str, Any]) -> None:
    """Put back every file of *journal*, however far the swap came."""
    for path, existed in journal["paths"].items():
        place, new, old = (files.at(path + suffix) for suffix in ("", NEW, OLD))
        new.unlink(missing_ok=True)
        if os.path.lexists(old):
            old.rename(place)
            old.unlink(missing_ok=True)  # rename does nothing if both are the same file
        elif not existed:
            place.unlink(missing_ok=True)
