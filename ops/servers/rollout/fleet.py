"""The fleet and the core's releases, read once for all hosts of a pyinfra run."""

import threading
from functools import cache
from pathlib import Path

from ops.config.core import archive
from ops.files import as_ops_error
from ops.fleet.inventory import find, load
from ops.fleet.secrets import load as load_secrets
from ops.servers.planning.checkout import checkout
from ops.servers.planning.decision import LoadedFleet

_reading = threading.Lock()  # pyinfra prepares hosts in parallel


def loaded_fleet(folder: Path | None = None) -> LoadedFleet:
    """Return the fleet in *folder*, or in the working folder."""
    with _reading, as_ops_error():
        return _read(find(folder))


@cache
def _read(folder: Path) -> LoadedFleet:
    fleet = load(folder)
    return LoadedFleet(fleet, load_secrets(fleet), checkout(folder))


def release(sha256: str) -> Path:
    """Return the zip of the pinned core with this *sha256*. It is verified once a run."""
    with _reading, as_ops_error():
        return _verified(find(), sha256)


@cache
def _verified(folder: Path, sha256: str) -> Path:
    core = _read(folder).fleet.core
    machine = next(machine for machine, pinned in core.sha256.items() if pinned == sha256)
    return archive(core, machine)
