"""The hosts and keys of the inventory; the ledger remembers those that left it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from ops.ledger.answers.calendar import when
from ops.ledger.booking.access import widen
from ops.ledger.booking.doubts import waiting_bytes
from ops.ledger.database.ids import locked_hosts
from ops.ledger.database.rows import HostRow
from ops.ledger.database.schema import gaps, hosts, keys, ledger, runs

_BLINK = 2 * 60_000
"""Milliseconds that a key may be missing without a new life. Two collectors with different
checkouts must not begin a new life in each round."""


_FRAME = select(ledger).with_for_update()
_TOLD = update(ledger).values(told=bindparam("now"))
_KNOWN = (
    select(hosts)
    .where(hosts.c.gone.is_(None) | hosts.c.name.in_(bindparam("names", expanding=True)))
    .order_by(hosts.c.name)
    .with_for_update()
)
_KEYS = select(keys).order_by(keys.c.life)
_STATES = (
    select(hosts, runs.c.identity, runs.c.since)
    .outerjoin(runs, runs.c.id == hosts.c.run_id)
    .order_by(hosts.c.name)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """The state of a host in the ledger."""

    name: str
    known_since: datetime
    read_at: datetime | None
    """The moment of the last booked reading; None: never read."""
    run: str
    """The run at that moment; ``~...`` if the core has no run identity, empty if there was none."""
    counting_since: datetime | None
    adopted: str
    """The adoption applied to counters from before *known_since*: count, baseline or empty."""
    gone: datetime | None
    """The moment at which it left the inventory."""
    absent: bool = False
    """Whether the inventory wants no core there."""
    done: datetime | None = None
    """The moment of the visit that found no core and nothing left to fetch."""
    waiting: int | None = None
    """Bytes that wait for an adoption; None if there is nothing to decide."""
    decision: str = ""
    """The adoption stored for its first reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The whole inventory: the argument of :meth:`Ledger.enrol`."""

    hosts: Collection[str]
    keys: Collection[str]
    absent: Collection[str] = ()
    """The hosts that the inventory wants without a core."""
    opens: Mapping[str, Collection[str]] | None = None
    """By key: the hosts that it may open. None: every key opens every host."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """By host: the address that ssh dials."""


def enrol(tx: Connection, told: Inventory, now: int) -> None:
    """Write the whole inventory to the ledger, at the collector's time *now*."""
    frame = tx.execute(_FRAME).one()
    known = {row.name: row for row in tx.execute(_KNOWN, {"names": list(told.hosts)})}
    present = [row for row in known.values() if row.gone is None]
    latest = max([frame.told, *(host.read or 0 for host in present)])
    # After this machine's clock was set back, enrolments stay at the newest known moment.
    now = now if now >= latest else latest + 1
    if known.keys() >= set(told.hosts):
        rows = {name: HostRow(**known[name]._mapping) for name in told.hosts}
    else:
        rows = locked_hosts(tx, told.hosts, frame, now)
    for host in rows.values():
        if host.gone is not None and host.read is None:
            _come_back_unread(tx, host, host.gone, frame, now)
        if host.gone is not None or host.absent != (host.name in told.absent):
            _set_state(tx, host, absent=host.name in told.absent)
        if (address := told.addresses.get(host.name, host.address)) != host.address:
            _move(tx, host, address, now)
    for left in present:
        if left.name not in rows:
            done = left.done if left.absent else None
            leave = update(hosts).where(hosts.c.id == left.id)
            tx.execute(leave.values(gone=now, done=done))
    _enrol_keys(tx, told.keys, now)
    widen(tx, told.opens, {host.name: host.id for host in rows.values()})
    tx.execute(_TOLD, {"now": now})


def _come_back_unread(tx: Connection, host: HostRow, gone: int, frame: Any, now: int) -> None:
    """Take a host back that left at *gone*: it may come back as another machine."""
    if host.done is None:
        _doubt(tx, host, host.earliest_run, gone)
    else:
        _begin_anew(tx, host, frame, now)


def _doubt(tx: Connection, host: HostRow, since: int, until: int) -> None:
    """Note that another machine may have counted under the name of *host*."""
    gap = {"host_id": host.id, "kind": "before", "since": since, "until": until}
    tx.execute(insert(gaps), [gap])


def _set_state(tx: Connection, host: HostRow, *, absent: bool) -> None:
    """Note that the inventory names *host*, and whether it wants no core there."""
    values: dict[str, object] = {"gone": None, "absent": absent}
    # A core may have run since the last visit that found none.
    values |= {} if absent and host.absent else {"done": None}
    tx.execute(update(hosts).where(hosts.c.id == host.id).values(values))


def _begin_anew(tx: Connection, host: HostRow, frame: Any, now: int) -> None:
    """Take a host for new: a person ruled out that anything ever counted under its name."""
    host.known, host.earliest = now, min(frame.told or frame.created, now)
    host.address, host.addressed, host.absent = "", None, False
    values = {name: getattr(host, name) for name in ("known", "earliest", "address", "addressed")}
    tx.execute(update(hosts).where(hosts.c.id == host.id).values(values))


def _move(tx: Connection, host: HostRow, address: str, now: int) -> None:
    """Set a new address. Another machine may have counted at the old one: note a gap."""
    since = host.earliest_run if host.read is None else host.addressed
    if host.address and since is not None and since > (host.read or 0):
        _doubt(tx, host, since, now)
    # Readings at the new address have not been looked for yet.
    first = {"address": address, "addressed": host.known}
    moved = first | {"addressed": now, "done": None} if host.address else first
    tx.execute(update(hosts).where(hosts.c.id == host.id).values(moved))


def _enrol_keys(tx: Connection, names: Collection[str], now: int) -> None:
    last = {row.name: row for row in tx.execute(_KEYS)}
    there = set(names)
    for row in last.values():
        if row.name not in there and row.gone is None:
            tx.execute(update(keys).where(keys.c.id == row.id).values(gone=now))
        elif row.name in there and row.gone is not None and now - row.gone <= _BLINK:
            tx.execute(update(keys).where(keys.c.id == row.id).values(gone=None))
    back = [row for row in last.values() if row.name in there and row.gone is not None]
    new = [{"name": row.name, "life": row.life + 1} for row in back if now - row.gone > _BLINK]
    new += [{"name": name, "life": 1} for name in sorted(there - last.keys())]
    if new:
        tx.execute(insert(keys), [life | {"born": now} for life in new])


def key_names(tx: Connection) -> list[str]:
    """Return the names of all keys, sorted."""
    return list(tx.execute(select(keys.c.name).distinct().order_by(keys.c.name)).scalars())


def host_states(tx: Connection) -> list[HostState]:
    """Return the state of every host, sorted by name."""
    waits = waiting_bytes(tx)
    return [
        HostState(
            name=row.name,
            known_since=when(row.known),
            read_at=None if row.read is None else when(row.read),
            run=row.identity or "",
            counting_since=None if row.since is None else when(row.since),
            adopted=row.adopted,
            gone=None if row.gone is None else when(row.gone),
            absent=row.absent,
            done=None if row.done is None else when(row.done),
            waiting=waits.get(row.name),
            decision=row.decision,
        )
        for row in tx.execute(_STATES)
    ]
