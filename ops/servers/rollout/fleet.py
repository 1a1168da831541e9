"""What this run has, for all its hosts: the fleet and the core's releases, each read once."""

import threading
from functools import cache
from pathlib import Path

from ops.config.core import archive
from ops.files import told
from ops.fleet.inventory import find, load
from ops.fleet.secrets import load as load_secrets
from ops.servers.planning.checkout import checkout
from ops.servers.planning.decision import Here

_reading = threading.Lock()  # hosts are prepared at the same time


def here(folder: Path | None = None) -> Here:
    """Return the fleet in *folder*, or the one that we are in."""
    with _reading, told():
        return _read(find(folder))


@cache
def _read(folder: Path) -> Here:
    fleet = load(folder)
    return Here(fleet, load_secrets(fleet), checkout(folder))


def release(sha256: str) -> Path:
    """Return the archive of the core that is pinned as *sha256*, verified once in a run."""
    with _reading, told():
        return _verified(find(), sha256)


@cache
def _verified(folder: Path, sha256: str) -> Path:
    core = _read(folder).fleet.core
    machine = next(machine for machine, pinned in core.sha256.items() if pinned == sha256)
    return archive(core, machine)
