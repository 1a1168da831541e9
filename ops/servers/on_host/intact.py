"""Check that the files of a release are still the installed ones.

Hashing 40 MB takes a quarter of a second. So a file with the inode, size and times of the
installation counts as intact, and only other files are hashed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from ops.model import layout
from ops.servers.on_host import files

MARKS = "installed.json"
"""The file in the folder of a release with the marks: SHA-256, inode, size and times by file."""
PROGRAM = "xray"
FILES = {PROGRAM: 0o755, "geoip.dat": 0o644, "geosite.dat": 0o644}
"""The files of a release, and their modes."""
CHUNK = 1 << 20


def mark(folder: Path) -> None:
    """Write the marks of the verified files in *folder*."""
    present = (folder / name for name in FILES if (folder / name).exists())
    marks = {file.name: {**_stamp(file.stat()), "sha256": _sum(file)} for file in present}
    (folder / MARKS).write_text(json.dumps(marks, indent=1, sort_keys=True))
    (folder / MARKS).chmod(0o644)


def is_intact(folder: Path) -> bool:
    """Return whether every file of the release in *folder* is the installed one."""
    # An older version installed releases without marks. Then only the program is checked.
    marks = _marks(folder) or {PROGRAM: {}}
    try:
        return _opens(folder.lstat(), 0o555) and all(
            _is_same(folder / name, expected) for name, expected in marks.items()
        )
    except OSError:
        return False


def same(file: Path, verified: Path) -> bool:
    """Return whether *file* has the content of *verified*, and everybody may read it."""
    try:
        return _is_same(file, {"sha256": _sum(verified)})
    except OSError:
        return False


def release_of(pid: int) -> str:
    """Return the SHA-256 of the release that the process *pid* runs; empty if it is no release.

    The running program is checked, because another file may have its name now.
    """
    running = files.at(f"/proc/{pid}/exe")
    try:
        named = str(running.readlink())
        folder = Path(named.replace(" (deleted)", "")).parent
        if folder.parent != files.at(layout.CORES):
            return ""
        expected = _marks(folder).get(PROGRAM)
        same = not expected or _fits(running, running.stat(), expected)
    except OSError:
        return ""
    return folder.name if same else ""


def _marks(folder: Path) -> dict[str, Any]:
    try:
        marks = json.loads((folder / MARKS).read_text())
    except (OSError, ValueError):
        return {}
    return marks if isinstance(marks, dict) else {}


def _is_same(file: Path, expected: dict[str, Any]) -> bool:
    status = file.lstat()
    allowed = _opens(status, FILES.get(file.name, 0) & 0o555)
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0 or not allowed:
        return False
    return not expected or _fits(file, status, expected)


def _opens(status: os.stat_result, needed: int) -> bool:
    """Return whether everybody has the *needed* permissions, because root owns the core's files."""
    return status.st_mode & needed == needed


def _fits(file: Path, status: os.stat_result, expected: dict[str, Any]) -> bool:
    stamp = _stamp(status)
    if stamp == {name: expected.get(name) for name in stamp}:
        return True
    return _sum(file) == expected.get("sha256")


def _stamp(status: os.stat_result) -> dict[str, int]:
    return {
        "inode": status.st_ino,
        "size": status.st_size,
        "changed": status.st_mtime_ns,
        "touched": status.st_ctime_ns,
    }


def _sum(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        for chunk in iter(lambda: content.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
