"""Readings of the counters, kept on the host: whole or not at all, for root's eyes only."""

from __future__ import annotations

import json
import time
from pathlib import Path

from ops.model import layout
from ops.on_host import files, places, service
from ops.on_host.core import Api, run_of
from ops.on_host.failure import RolloutError

KEPT = 90 * 24 * 3600
"""Seconds that readings of ended runs stay: long enough for a ledger restored from a backup."""


def take(kind: str) -> str:
    """Write a reading of the run that answers now, and return the run.

    The stop hook (*kind* ``last``) and the timer (``minute``) have a file each, so that neither
    waits for the other; whoever reads takes the higher of the two.
    """
    answer = Api(service.started_config()).call("statsquery")
    run = run_of({stat["name"]: 0 for stat in answer.get("stat", [])})
    if not run:
        raise RolloutError("the reading names no run: nothing is written")
    held = {"run": run, "kind": kind, "read_at": _utc(time.time()), "counting_since": _since()}
    content = json.dumps({**held, "statsquery": answer}).encode()
    files.folder(layout.READINGS, 0o700)
    files.write(f"{layout.READINGS}/{run}.{kind}.json", content)
    return run


def prune(run: str) -> None:
    """Remove readings of runs that ended long ago, and what a crash left half written."""
    for path in files.at(layout.READINGS).iterdir():
        age = time.time() - path.stat().st_mtime
        unfinished = path.name.startswith(".") and age > 60
        if unfinished or (age > KEPT and not path.name.startswith(f"{run}.")):
            path.unlink(missing_ok=True)


def _since() -> str:
    """Return when the run began: its tail is written just before the core starts."""
    tail: Path = files.at(places.TAIL)
    return _utc(tail.stat().st_mtime) if tail.exists() else ""


def _utc(moment: float) -> str:
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"
    )
