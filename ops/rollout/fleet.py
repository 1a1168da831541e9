"""The fleet of this run: read once, however many hosts it has."""

import threading
from functools import cache
from pathlib import Path

from ops.inventory import find, load
from ops.planning.checkout import checkout
from ops.planning.decision import Here
from ops.secrets import load as load_secrets

_reading = threading.Lock()


def here(folder: Path | None = None) -> Here:
    """Return the fleet in *folder*, or the one that we are in."""
    with _reading:  # hosts are prepared at the same time
        return _read(find(folder))


@cache
def _read(folder: Path) -> Here:
    fleet = load(folder)
    return Here(fleet, load_secrets(fleet), checkout(folder))
