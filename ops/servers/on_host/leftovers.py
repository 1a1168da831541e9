"""Remove what a rollout that a power cut ended left on this host: sets hold secrets."""

from __future__ import annotations

import time

from ops.servers.on_host import files, lock, places

SAFE = 600
"""Seconds after which a set that nobody works on is no longer on its way."""
LEFT = ("set.*", "*.zip")
"""Sets, and cores that were sent for them."""


def sweep() -> None:
    """Remove what was left, unless a rollout is at work."""
    left = [path for pattern in LEFT for path in files.at(places.STATE).glob(pattern)]
    if not left or lock.holder() is not None:
        return
    import shutil  # not above: most looks find nothing to remove

    for path in left:
        age = time.time() - path.lstat().st_mtime
        if 0 <= age <= SAFE:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
