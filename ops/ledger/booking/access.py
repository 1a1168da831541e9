"""Which hosts a key was ever allowed to open: any of them may hold bytes of hers."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from ops.ledger.database.bulk import add_missing
from ops.ledger.database.schema import EVERYWHERE, hosts, keys, reaches

Reach = frozenset[str] | None
"""Names of hosts; None is every host."""


def widen(tx: Connection, opens: Mapping[str, Collection[str]] | None) -> None:
    """Add the hosts that each key may open now to those that it ever could."""
    if opens is None:
        unknown = keys.c.gone.is_(None) & keys.c.reach_id.is_(None)
        tx.execute(update(keys).where(unknown).values(reach_id=EVERYWHERE))
        return
    numbers = {row.name: row.id for row in tx.execute(select(hosts.c.name, hosts.c.id))}
    sets = _sets(tx)
    wanted: dict[int, frozenset[int]] = {}
    for row in tx.execute(select(keys).where(keys.c.gone.is_(None))):
        if row.name not in opens or row.reach_id == EVERYWHERE:
            continue
        now = frozenset(numbers[host] for host in opens[row.name] if host in numbers)
        before = sets.get(row.reach_id)
        if before is None or not now <= before:
            wanted[row.id] = now | (before or frozenset())
    _write(tx, wanted)


def include(tx: Connection, pairs: Collection[tuple[int, int]]) -> None:
    """Add each host that counted a key, as (key, host), to the hosts that may hold bytes of it."""
    if not pairs:
        return
    lives = {row.id: row for row in tx.execute(select(keys))}
    sets = _sets(tx)
    wanted: dict[int, frozenset[int]] = {}
    for key, host in pairs:
        before = wanted.get(key) or sets.get(lives[key].reach_id)
        if before is not None and host not in before:
            wanted[key] = before | {host}
    _write(tx, wanted)


def _sets(tx: Connection) -> dict[int, frozenset[int]]:
    return {row.id: _parsed(row.hosts) for row in tx.execute(select(reaches))}


def _write(tx: Connection, wanted: Mapping[int, frozenset[int]]) -> None:
    written = {reach: ",".join(map(str, sorted(reach))) for reach in wanted.values()}
    add_missing(tx, reaches, [{"hosts": text} for text in written.values()])
    if wanted:
        numbers = {row.hosts: row.id for row in tx.execute(select(reaches))}
        for key, reach in wanted.items():
            tx.execute(
                update(keys).where(keys.c.id == key).values(reach_id=numbers[written[reach]])
            )


def _parsed(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(","))) if text else frozenset()


def reach_of(
    tx: Connection, lives: Mapping[int, Any], opens: Mapping[str, Collection[str]] | None
) -> dict[str, Reach]:
    """Return the hosts that may hold bytes of each key; a key that was never told has all.

    *lives* are rows of ``keys`` by number: all lives of a name count. *opens*: by key, the hosts
    that it may open now.
    """
    names = {row.id: row.name for row in tx.execute(select(hosts.c.id, hosts.c.name))}
    sets = _sets(tx)
    found: dict[str, Reach] = {}
    for row in lives.values():
        if row.reach_id in (None, EVERYWHERE):
            found[row.name] = None
            continue
        reach = frozenset(names[number] for number in sets[row.reach_id] if number in names)
        before = found.get(row.name, frozenset((opens or {}).get(row.name, ())))
        found[row.name] = None if before is None else before | reach
    return found
