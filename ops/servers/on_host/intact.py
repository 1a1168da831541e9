"""Tell a release that is as it was installed from one that is damaged or another.

Hashing 40 MB takes a quarter of a second, so each file is known by its inode, size and times, and
is hashed only where these differ.
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
"""In a release's folder: what each of its files was like when it was verified."""
PROGRAM = "xray"
HELD = {PROGRAM: 0o755, "geoip.dat": 0o644, "geosite.dat": 0o644}
"""The files of a release, and their modes."""
CHUNK = 1 << 20


def mark(folder: Path) -> None:
    """Note in *folder* what its files are like."""
    held = (folder / name for name in HELD if (folder / name).exists())
    marks = {file.name: {**_stamp(file.stat()), "sha256": _sum(file)} for file in held}
    (folder / MARKS).write_text(json.dumps(marks, indent=1, sort_keys=True))
    (folder / MARKS).chmod(0o644)


def is_intact(folder: Path) -> bool:
    """Return whether every file of the release in *folder* is as it was installed."""
    # Without marks the release was installed by an older version: that it could run must do.
    marks = _marks(folder) or {PROGRAM: {}}
    try:
        return _opens(folder.lstat(), 0o555) and all(
            _is_same(folder / name, held) for name, held in marks.items()
        )
    except OSError:
        return False


def same(file: Path, verified: Path) -> bool:
    """Return whether *file* is as good as the *verified* one."""
    try:
        return _is_same(file, {"sha256": _sum(verified)})
    except OSError:
        return False


def release_of(pid: int) -> str:
    """Return the release whose program the process *pid* runs; nothing if it runs another.

    The process is asked, because the file of that name can be another one by now.
    """
    running = files.at(f"/proc/{pid}/exe")
    try:
        named = str(running.readlink())
        folder = Path(named.replace(" (deleted)", "")).parent
        if folder.parent != files.at(layout.CORES):
            return ""
        held = _marks(folder).get(PROGRAM)
        same = not held or _fits(running, running.stat(), held)
    except OSError:
        return ""
    return folder.name if same else ""


def _marks(folder: Path) -> dict[str, Any]:
    try:
        marks = json.loads((folder / MARKS).read_text())
    except (OSError, ValueError):
        return {}
    return marks if isinstance(marks, dict) else {}


def _is_same(file: Path, held: dict[str, Any]) -> bool:
    there = file.lstat()
    allowed = _opens(there, HELD.get(file.name, 0) & 0o555)
    if not stat.S_ISREG(there.st_mode) or there.st_size == 0 or not allowed:
        return False
    return not held or _fits(file, there, held)


def _opens(there: os.stat_result, needed: int) -> bool:
    """Return whether everybody may do what is *needed*: the core is no owner of its files."""
    return there.st_mode & needed == needed


def _fits(file: Path, there: os.stat_result, held: dict[str, Any]) -> bool:
    stamp = _stamp(there)
    return stamp == {name: held.get(name) for name in stamp} or _sum(file) == held.get("sha256")


def _stamp(there: os.stat_result) -> dict[str, int]:
    return {
        "inode": there.st_ino,
        "size": there.st_size,
        "changed": there.st_mtime_ns,
        "touched": there.st_ctime_ns,
    }


def _sum(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        for chunk in iter(lambda: content.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
