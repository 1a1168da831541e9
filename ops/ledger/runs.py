"""Runs of the core: found, begun, ended."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from ops.ledger.records import HostRow, RunRow
from ops.ledger.schema import counters, hosts, runs
from ops.model import Observation, Reading

Runs = dict[int, dict[str, RunRow]]
"""By host and identity."""
Highs = dict[int, dict[int, tuple[int, int]]]
"""By run and user: the highest up and down seen."""


def known(tx: Connection, observed: Mapping[int, Observation]) -> Runs:
    """Return the runs that *observed*, by host, speaks of, and those that had not ended."""
    identities = {reading.run for o in observed.values() for reading in _readings(o)}
    query = select(runs).where(
        runs.c.host_id.in_(list(observed)) & runs.c.identity.in_(identities)
        | runs.c.host_id.in_(list(observed)) & runs.c.ended.is_(None)
    )
    found: Runs = {host: {} for host in observed}
    for row in tx.execute(query):
        found[row.host_id][row.identity] = RunRow(**row._mapping)
    return found


def elsewhere(tx: Connection, observed: Mapping[int, Observation], found: Runs) -> dict[str, str]:
    """Return under which other host a run that is new to its host is known, by identity."""
    new = [
        reading.run
        for host, observation in observed.items()
        for reading in _readings(observation)
        if reading.run and reading.run not in found[host]
    ]
    if not new:
        return {}
    query = select(runs.c.identity, hosts.c.name).join(hosts).where(runs.c.identity.in_(new))
    return {row.identity: row.name for row in tx.execute(query)}


def begin(tx: Connection, new: list[RunRow]) -> None:
    """Write *new* runs, and give each its number."""
    if not new:
        return
    fields = [field for field in RunRow.__dataclass_fields__ if field != "id"]
    rows = [{field: getattr(run, field) for field in fields} for run in new]
    made = insert(runs).returning(runs.c.id, runs.c.host_id, runs.c.identity)
    numbers = {(host, identity): id_ for id_, host, identity in tx.execute(made, rows)}
    for run in new:
        run.id = numbers[run.host_id, run.identity]


def save(tx: Connection, changed: Iterable[RunRow]) -> None:
    """Write what may change of runs that are there."""
    rows = [
        {"_id": run.id, "read": run.read, "ended": run.ended, "stopped": run.stopped}
        | {"since": run.since, "reset": run.reset, "closed": run.closed}
        for run in changed
    ]
    if rows:
        names = ("read", "ended", "stopped", "since", "reset", "closed")
        values: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in names}
        tx.execute(update(runs).where(runs.c.id == bindparam("_id")).values(values), rows)


def save_hosts(tx: Connection, changed: Iterable[HostRow]) -> None:
    """Write what may change of hosts."""
    names = ("known", "read", "run_id", "listed", "adopted")
    rows = [
        {"_id": host.id} | {f"_{name}": getattr(host, name) for name in names} for host in changed
    ]
    if rows:
        values: dict[str, BindParameter[Any]] = {name: bindparam(f"_{name}") for name in names}
        tx.execute(update(hosts).where(hosts.c.id == bindparam("_id")).values(values), rows)


def highs(tx: Connection, run_ids: list[int]) -> Highs:
    """Return the highest seen of the users of runs."""
    found: Highs = {run: {} for run in run_ids}
    if run_ids:
        query = select(counters).where(counters.c.run_id.in_(run_ids))
        for run, user, up, down in tx.execute(query):
            found[run][user] = up, down
    return found


def _readings(observation: Observation) -> Iterable[Reading]:
    return (*observation.kept, *([observation.now] if observation.now else ()))
