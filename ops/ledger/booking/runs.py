"""Rows of runs: read, begun, saved, closed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, insert, select, update

from ops.ledger.booking.sightings import NAMELESS
from ops.ledger.database.bulk import in_parts
from ops.ledger.database.rows import HostRow, RunRow
from ops.ledger.database.schema import counters, hosts, runs
from ops.model import Observation

Highs = dict[int, dict[int, tuple[int, int]]]
"""By run and user: the highest uplink and downlink seen."""


@dataclass(slots=True)
class Known:
    """The runs that may be affected by some observations."""

    own: dict[int, dict[str, RunRow]]
    """By host and identity: runs in the observations, runs without an end, runs in doubt."""
    rows: dict[str, list[RunRow]] = field(default_factory=dict)
    """By identity: a run that was read under two host names has a row for each."""

    def elsewhere(self, host: int, observation: Observation) -> dict[str, RunRow]:
        """Return by identity the newest row that a run has under another host name."""
        found = {}
        for identity in {reading.run for reading in observation.readings}:
            if others := self.others(host, identity):
                found[identity] = max(others, key=lambda row: row.read)
        return found

    def others(self, host: int, identity: str) -> list[RunRow]:
        """Return the rows of a run under other host names than that of *host*."""
        return [row for row in self.rows.get(identity, ()) if row.host_id != host]


_IS_NAMED = runs.c.identity.in_(bindparam("named", expanding=True))
_OURS = runs.c.host_id.in_(bindparam("hosts", expanding=True))
_NAMED = select(runs).where(_IS_NAMED)
_OPEN = select(runs).where(_OURS & (runs.c.ended.is_(None) | (runs.c.doubt != "")) | _IS_NAMED)


def known(tx: Connection, observed: Mapping[int, Observation]) -> Known:
    """Return the runs that *observed*, by host, may affect, under every host name."""
    identities = {reading.run for o in observed.values() for reading in o.readings}
    identities |= {run for o in observed.values() for run in o.damaged}
    named = sorted(i for i in identities if i and not i.startswith(NAMELESS))
    found = Known(own={host: {} for host in observed})
    first, *more = in_parts(named) or [[]]
    rows = [*tx.execute(_OPEN, {"hosts": list(observed), "named": first})]
    rows += [row for part in more for row in tx.execute(_NAMED, {"named": part})]
    for row in rows:
        _keep(found, RunRow(**row._mapping))
    return found


def _keep(found: Known, run: RunRow) -> None:
    if run.host_id in found.own:
        if run.identity in found.own[run.host_id]:
            return
        found.own[run.host_id][run.identity] = run
    found.rows.setdefault(run.identity, []).append(run)


def begin(tx: Connection, new: list[RunRow]) -> None:
    """Insert *new* runs and set their numbers."""
    if not new:
        return
    fields = [field for field in RunRow.__dataclass_fields__ if field != "id"]
    rows = [{field: getattr(run, field) for field in fields} for run in new]
    made = insert(runs).returning(runs.c.id, runs.c.host_id, runs.c.identity)
    numbers = {(host, identity): id_ for id_, host, identity in tx.execute(made, rows)}
    for run in new:
        run.id = numbers[run.host_id, run.identity]


_RUN = ("read", "ended", "stopped", "since", "reset", "closed", "waits", "doubt")
_HOST = (
    *("known", "read", "run_id", "listed", "adopted"),
    *("machine", "listed_at", "done", "decision", "total"),
)


_SAVE = (
    update(runs)
    .where(runs.c.id == bindparam("_id"))
    .values({name: bindparam(name) for name in _RUN})
)
_SAVE_HOST = (
    update(hosts)
    .where(hosts.c.id == bindparam("_id"))
    .values({name: bindparam(f"_{name}") for name in _HOST})
)
_HIGHS = select(counters).where(counters.c.run_id.in_(bindparam("runs", expanding=True)))


def save(tx: Connection, changed: Iterable[RunRow]) -> None:
    """Update the columns of runs that booking may change."""
    rows = [{"_id": run.id} | {name: getattr(run, name) for name in _RUN} for run in changed]
    if rows:
        tx.execute(_SAVE, rows)


def save_hosts(tx: Connection, changed: Iterable[HostRow]) -> None:
    """Update the columns of hosts that booking may change."""
    rows = [{"_id": host.id} | {f"_{n}": getattr(host, n) for n in _HOST} for host in changed]
    if rows:
        tx.execute(_SAVE_HOST, rows)


def highs(tx: Connection, run_ids: list[int]) -> Highs:
    """Return the highest values seen, by run and user."""
    found: Highs = {run: {} for run in run_ids}
    for part in in_parts(run_ids):
        for run, user, up, down in tx.execute(_HIGHS, {"runs": part}):
            found[run][user] = up, down
    return found


_CLOSED = (
    select(hosts.c.name, runs.c.identity)
    .join(runs)
    .where(runs.c.closed, runs.c.ended.is_not(None), ~runs.c.settled)
)


def closed(tx: Connection, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, by host, the runs that ended and are booked completely: no need to fetch them.

    A ledger from a backup does not know later runs, so their readings are fetched again.
    """
    wanted = set(names)
    found: dict[str, set[str]] = {}
    for name, identity in tx.execute(_CLOSED):
        if name in wanted:
            found.setdefault(name, set()).add(identity)
    return {name: frozenset(identities) for name, identities in found.items()}
