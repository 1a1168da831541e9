"""Remove the files of an interrupted rollout, because they contain secrets."""

from __future__ import annotations

import time

from ops.servers.on_host import files, lock, places

SAFE = 600
"""Seconds that a set may wait on the host for its rollout."""
LEFT = ("set.*", "*.zip")
"""Patterns of sets, and of cores sent for them."""


def sweep() -> None:
    """Remove old sets and cores, unless a rollout is running."""
    left = [path for pattern in LEFT for path in files.at(places.STATE).glob(pattern)]
    if not left or lock.holder() is not None:
        return
    import shutil  # imported here, because most looks find nothing to remove

    for path in left:
        age = time.time() - path.lstat().st_mtime
        if 0 <= age <= SAFE:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
