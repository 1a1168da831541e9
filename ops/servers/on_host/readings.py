"""Readings of the counters, kept on the host: whole or not at all, for root's eyes only."""

from __future__ import annotations

import json
import time
from pathlib import Path

from ops.model import layout
from ops.servers.on_host import files, places, service
from ops.servers.on_host.core import LocalApi, run_of
from ops.servers.on_host.failure import RolloutError

KEPT = 90 * 24 * 3600
"""Seconds that readings of ended runs stay: long enough for a ledger restored from a backup."""
BEGUN = "begun"
MOST = 100
"""Runs of which nothing but their beginning is known that have a file each."""


def begin() -> str:
    """Write that a run begins, before its core starts, and return the run.

    It is a reading like any other: at its beginning all counters of a run are at 0. Of a core
    that is killed before the timer comes round, it is all that remains.
    """
    tail = files.read_json(places.TAIL)
    if not tail:
        raise RolloutError(f"{places.TAIL} names no run: this is for the unit, before the core")
    tag = tail["outbounds"][0]["tag"]
    run = str(tag)[len(layout.RUN_PREFIX) :]
    inbounds = [f"inbound>>>{one['tag']}" for one in service.started_config()["inbounds"]]
    names = [f"{name}>>>traffic>>>uplink" for name in (*inbounds, f"outbound>>>{tag}")]
    _write(run, BEGUN, _since(), {"stat": [{"name": name} for name in names]})
    return run


def take(kind: str) -> str:
    """Write a reading of the run that answers now, and return the run.

    The stop hook (*kind* ``last``) and the timer (``minute``) have a file each, so that neither
    waits for the other; whoever reads takes the higher of the two.
    """
    answer = LocalApi(service.started_config()).call("statsquery")
    run = run_of({stat["name"]: 0 for stat in answer.get("stat", [])})
    if not run:
        raise RolloutError("the reading names no run: nothing is written")
    _write(run, kind, _utc(time.time()), answer)
    files.at(_name(run, BEGUN)).unlink(missing_ok=True)  # it says less
    return run


def prune(run: str) -> None:
    """Remove readings of runs that ended long ago, and what a crash left half written."""
    for path in files.at(layout.READINGS).iterdir():
        age = time.time() - path.stat().st_mtime
        unfinished = path.name.startswith(".") and age > 60
        if unfinished or (age > KEPT and not path.name.startswith(f"{run}.")):
            path.unlink(missing_ok=True)
    _thin(run)


def _thin(run: str) -> None:
    """Of a core that dies again and again keep the first beginning: what follows it is unknown.

    Whoever reads takes a run to last until the next one that is known, so nothing less is told.
    """
    there = sorted(files.at(layout.READINGS).glob("[!.]*.json"), key=_changed)
    begun = [path for path in there if path.name.endswith(f".{BEGUN}.json")]
    if len(begun) > MOST:
        for before, path in zip(there, there[1:]):
            if before in begun and path in begun and path != files.at(_name(run, BEGUN)):
                path.unlink(missing_ok=True)


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _write(run: str, kind: str, read_at: str, answer: object) -> None:
    held = {"run": run, "kind": kind, "read_at": read_at, "counting_since": _since()}
    content = json.dumps({**held, "statsquery": answer}).encode()
    files.folder(layout.READINGS, 0o700)
    files.write(_name(run, kind), content)


def _name(run: str, kind: str) -> str:
    return f"{layout.READINGS}/{run}.{kind}.json"


def _since() -> str:
    """Return when the run began: its tail is written just before the core starts."""
    tail: Path = files.at(places.TAIL)
    return _utc(tail.stat().st_mtime) if tail.exists() else ""


def _utc(moment: float) -> str:
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"
    )
