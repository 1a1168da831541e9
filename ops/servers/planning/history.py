"""Find out whether uncommitted work of an earlier rollout was committed since."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ops.fleet.git import git

DELETED = ""
"""The hash of a file that was deleted."""
_HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_MOST = 100
"""The number of files to look up, because the names come from a host."""


def hashes(folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return git's hash of each of *paths* in *folder*, `DELETED` for a path without a file.

    Empty if there are too many.
    """
    named = list(paths)
    return {path: _hash(folder, path) for path in named} if len(named) <= _MOST else {}


def _hash(folder: Path, path: str) -> str:
    answer = git(folder, "hash-object", "--", path)
    return DELETED if answer.returncode else answer.stdout.decode().strip()


def is_committed(folder: Path, head: str, record: Mapping[str, Any]) -> bool:
    """Return whether the commit *head* or one before it has the uncommitted work of *record*."""
    found = record.get("contents")
    if not head or not isinstance(found, dict) or not 0 < len(found) <= _MOST:
        return False
    return all(_had(folder, head, str(path), str(blob)) for path, blob in found.items())


@cache
def _had(folder: Path, head: str, path: str, blob: str) -> bool:
    """Return whether a commit up to *head* wrote or removed *blob* at *path*, or deleted *path*."""
    if not path.isprintable() or (blob != DELETED and not _HASH.fullmatch(blob)):
        return False
    which = ("--diff-filter=D",) if blob == DELETED else (f"--find-object={blob}",)
    words = ("--literal-pathspecs", "log", "-1", "--format=%H", *which, head, "--", path)
    answer = git(folder, *words)
    return answer.returncode == 0 and bool(answer.stdout.strip())
