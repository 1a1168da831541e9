"""The reach of each key: the hosts that it ever could open, which may hold bytes of it."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from ops.ledger.database.bulk import add_missing, in_parts
from ops.ledger.database.schema import EVERYWHERE, keys, reaches

Reach = frozenset[str] | None
"""Names of hosts; None means every host."""


_REACHES = select(reaches)
_PRESENT = select(keys.c.id, keys.c.name, keys.c.reach_id).where(keys.c.gone.is_(None))
_OF_KEYS = select(keys.c.id, keys.c.reach_id).where(
    keys.c.id.in_(bindparam("keys", expanding=True))
)
_WIDEN = update(keys).where(keys.c.id == bindparam("key")).values(reach_id=bindparam("reach"))


def widen(
    tx: Connection, opens: Mapping[str, Collection[str]] | None, numbers: Mapping[str, int]
) -> None:
    """Add the hosts that each key may open now to its reach.

    *opens*: by key, the names of these hosts; None: every host. *numbers*: by name, the numbers
    of the inventory's hosts.
    """
    if opens is None:
        unknown = keys.c.gone.is_(None) & keys.c.reach_id.is_(None)
        tx.execute(update(keys).where(unknown).values(reach_id=EVERYWHERE))
        return
    sets = _sets(tx)
    wanted: dict[int, frozenset[int]] = {}
    for row in tx.execute(_PRESENT):
        if row.name not in opens or row.reach_id == EVERYWHERE:
            continue
        now = frozenset(numbers[host] for host in opens[row.name] if host in numbers)
        before = sets.get(row.reach_id)
        if before is None or not now <= before:
            wanted[row.id] = now | (before or frozenset())
    _write(tx, wanted)


def include(tx: Connection, pairs: Collection[tuple[int, int]]) -> None:
    """Add hosts that counted a key to its reach; *pairs* are (key, host) numbers."""
    if not pairs:
        return
    there = in_parts(sorted({key for key, _ in pairs}))
    reach = {id_: r for part in there for id_, r in tx.execute(_OF_KEYS, {"keys": part})}
    sets = _sets(tx)
    wanted: dict[int, frozenset[int]] = {}
    for key, host in pairs:
        before = wanted.get(key) or sets.get(reach[key])
        if before is not None and host not in before:
            wanted[key] = before | {host}
    _write(tx, wanted)


def _sets(tx: Connection) -> dict[int, frozenset[int]]:
    return {row.id: _parsed(row.hosts) for row in tx.execute(_REACHES)}


def _write(tx: Connection, wanted: Mapping[int, frozenset[int]]) -> None:
    written = {reach: ",".join(map(str, sorted(reach))) for reach in wanted.values()}
    add_missing(tx, reaches, [{"hosts": text} for text in written.values()])
    if wanted:
        numbers = {row.hosts: row.id for row in tx.execute(_REACHES)}
        rows = [{"key": key, "reach": numbers[written[reach]]} for key, reach in wanted.items()]
        tx.execute(_WIDEN, rows)


def _parsed(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(","))) if text else frozenset()


def reach_of(
    tx: Connection,
    lives: Mapping[int, Any],
    opens: Mapping[str, Collection[str]] | None,
    names: Mapping[int, str],
) -> dict[str, Reach]:
    """Return by key the hosts that may hold bytes of it; a key without a known reach has all.

    Args:
        tx: the transaction.
        lives: rows of ``keys`` by number; all lives of a name count.
        opens: by key, the hosts that it may open now.
        names: the names of all hosts, by number.
    """
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
