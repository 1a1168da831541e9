"""Which hosts and keys there are: told by the inventory, remembered when they leave it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from ops.ledger.calendar import when
from ops.ledger.names import locked_hosts
from ops.ledger.schema import hosts, keys, ledger, runs

_BLINK = 2 * 60_000
"""Milliseconds that a key may be missing and still be the same one: two collectors whose
checkouts differ for a moment must not begin a new life of it each round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What the ledger knows of a host."""

    name: str
    known_since: datetime
    read_at: datetime | None
    """None where it was never read."""
    run: str
    """The run that was alive then; ``~...`` where the core has no identity, empty if none was."""
    counting_since: datetime | None
    adopted: str
    """What was done with counters older than *known_since*: count, baseline, or nothing."""
    gone: datetime | None
    """When it left the inventory."""


def enrol(tx: Connection, host_names: Sequence[str], key_names: Sequence[str], now: int) -> None:
    """Take in the whole inventory."""
    tx.execute(select(ledger).with_for_update()).one()
    locked_hosts(tx, host_names, now)
    returned = hosts.c.name.in_(host_names)
    tx.execute(update(hosts).where(returned, hosts.c.gone.is_not(None)).values(gone=None))
    tx.execute(update(hosts).where(~returned, hosts.c.gone.is_(None)).values(gone=now))
    _enrol_keys(tx, key_names, now)


def _enrol_keys(tx: Connection, names: Sequence[str], now: int) -> None:
    last = {row.name: row for row in tx.execute(select(keys).order_by(keys.c.life))}
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
    """Return the names of all keys, by name."""
    return list(tx.execute(select(keys.c.name).distinct().order_by(keys.c.name)).scalars())


def host_states(tx: Connection) -> list[HostState]:
    """Return what is known of every host, by name."""
    query = (
        select(hosts, runs.c.identity, runs.c.since)
        .outerjoin(runs, runs.c.id == hosts.c.run_id)
        .order_by(hosts.c.name)
    )
    return [
        HostState(
            name=row.name,
            known_since=when(row.known),
            read_at=None if row.read is None else when(row.read),
            run=row.identity or "",
            counting_since=None if row.since is None else when(row.since),
            adopted=row.adopted,
            gone=None if row.gone is None else when(row.gone),
        )
        for row in tx.execute(query)
    ]
