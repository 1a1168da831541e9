"""Save readings of the counters on this host, in files that only root can read."""

from __future__ import annotations

import json
import time
from pathlib import Path

from ops.model import layout
from ops.servers.on_host import files, places, service
from ops.servers.on_host.core import LocalApi, run_of
from ops.servers.on_host.failure import RolloutError

KEPT = 90 * 24 * 3600
"""Seconds that readings of ended runs stay, so that a restored ledger can fetch them."""
BEGUN = "begun"
"""The kind of the first reading of a run."""
MOST = 100
"""The most files of runs with only their begin."""


def begin() -> str:
    """Save the first reading of a run, before its core starts, and return the run.

    All its counters are 0. It is the only reading of a core that is killed within a minute.
    """
    tail = files.read_json(places.TAIL)
    if not tail:
        raise RolloutError(
            f"{places.TAIL} names no run: only the unit may run this, before the core starts"
        )
    tag = tail["outbounds"][0]["tag"]
    run = str(tag)[len(layout.RUN_PREFIX) :]
    inbounds = [f"inbound>>>{one['tag']}" for one in service.started_config()["inbounds"]]
    names = [f"{name}>>>traffic>>>uplink" for name in (*inbounds, f"outbound>>>{tag}")]
    _write(run, BEGUN, _since(), {"stat": [{"name": name} for name in names]})
    return run


def take(kind: str) -> str:
    """Save a reading of the running core, and return its run.

    The stop hook (*kind* ``last``) and the timer (``minute``) write separate files, so that
    neither waits for the other. A collector takes the higher values of both.
    """
    answer = LocalApi(service.started_config()).call("statsquery")
    run = run_of({stat["name"]: 0 for stat in answer.get("stat", [])})
    if not run:
        raise RolloutError("the reading names no run: nothing is written")
    _write(run, kind, _utc(time.time()), answer)
    files.at(_name(run, BEGUN)).unlink(missing_ok=True)  # the new reading replaces it
    return run


def prune(run: str) -> None:
    """Remove old readings of runs other than *run*, and files that a crash left half written."""
    for path in files.at(layout.READINGS).iterdir():
        age = time.time() - path.stat().st_mtime
        unfinished = path.name.startswith(".") and age > 60
        if unfinished or (age > KEPT and not path.name.startswith(f"{run}.")):
            path.unlink(missing_ok=True)
    _thin(run)


def _thin(run: str) -> None:
    """Remove first readings of a core that crashes again and again, except the earliest.

    A collector assumes that a run lasts until the next known one. So the time between the
    remaining readings stays unknown, as it was.
    """
    readings = sorted(files.at(layout.READINGS).glob("[!.]*.json"), key=_changed)
    begun = [path for path in readings if path.name.endswith(f".{BEGUN}.json")]
    if len(begun) > MOST:
        for before, path in zip(readings, readings[1:]):
            if before in begun and path in begun and path != files.at(_name(run, BEGUN)):
                path.unlink(missing_ok=True)


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _write(run: str, kind: str, read_at: str, answer: object) -> None:
    head = {"run": run, "kind": kind, "read_at": read_at, "counting_since": _since()}
    content = json.dumps({**head, "statsquery": answer}).encode()
    files.folder(layout.READINGS, 0o700)
    files.write(_name(run, kind), content)


def _name(run: str, kind: str) -> str:
    return f"{layout.READINGS}/{run}.{kind}.json"


def _since() -> str:
    """Return the begin of the present run: the time of its tail file."""
    tail: Path = files.at(places.TAIL)
    return _utc(tail.stat().st_mtime) if tail.exists() else ""


def _utc(moment: float) -> str:
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"
    )
