"""Marks: a reset for people. No counter is set to 0; a mark stores the usage until its moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, literal, select, update

from ops.ledger.answers.calendar import when
from ops.ledger.booking.access import reach_of
from ops.ledger.database.bulk import add_missing, in_parts
from ops.ledger.database.schema import fives, hosts, keys, late, ledger, marks, months
from ops.model import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A key was reset *at*; bytes that moved since *counted_from* may count as used after it."""

    key: str
    life: int
    """The number of the key's life: a key that was deleted and made again has a second one."""
    at: datetime
    counted_from: datetime
    before: Traffic
    """The usage of the key until the reset."""
    after: Traffic
    """The usage since the reset, in this life and later ones."""
    cut: bool = False
    """Whether *after* lacks bytes that may have moved before *counted_from*."""


def set_mark(tx: Connection, key: str, at: int, token: str) -> int:
    """Mark *key* at the moment *at*; return the key's number. A repeated *token* marks once."""
    tx.execute(select(ledger).with_for_update()).one()  # no booking meanwhile
    life = _life(tx, key, at)
    if not tx.execute(select(marks.c.id).where(marks.c.token == token)).first():
        used = _used_by(tx, {life})[life]
        values = {"key_id": life, "at": at, "since": _read_since(tx, key, at), "token": token}
        tx.execute(insert(marks).values(**values, up=used.uplink, down=used.downlink))
    return life


def before_marks(tx: Connection, late: Iterable[tuple[int, int, int, int]]) -> None:
    """Add bytes to the usage before a mark if they were read before it and are booked now."""
    for key, moment, up, down in late:
        tx.execute(
            update(marks)
            .where(marks.c.key_id == key, marks.c.at >= moment)
            .values(up=marks.c.up + up, down=marks.c.down + down)
        )


def marks_of(tx: Connection, names: Iterable[str] | None) -> list[Mark]:
    """Return the marks of the keys *names* (None: of all keys), oldest first."""
    query = select(marks, keys.c.name, keys.c.life).join(keys).order_by(marks.c.at, marks.c.id)
    if names is not None:
        query = query.where(keys.c.name.in_(list(names)))
    found = tx.execute(query).all()
    lives = _lives_since(tx, found)
    used = _used_by(tx, {life for later in lives.values() for life in later})
    crossing = {row.id: _late_across(tx, row, lives[row.id]) for row in found}
    return [
        Mark(
            key=row.name,
            life=row.life,
            at=when(row.at),
            counted_from=when(row.since),
            before=Traffic(row.up, row.down),
            after=sum((used[life] for life in lives[row.id]), Traffic())
            - Traffic(row.up, row.down)
            - crossing[row.id],
            cut=crossing[row.id].total > 0,
        )
        for row in found
    ]


def _lives_since(tx: Connection, found: Sequence[Row[Any]]) -> dict[int, list[int]]:
    """Return, by mark, the numbers of its key's life and of later lives.

    The inventory may have a marked key again before a round tells the ledger of its next life.
    """
    lives: dict[str, list[tuple[int, int]]] = {row.name: [] for row in found}
    query = select(keys.c.name, keys.c.life, keys.c.id)
    for part in in_parts(list(lives)):
        for name, life, id_ in tx.execute(query.where(keys.c.name.in_(part))):
            lives[name].append((life, id_))
    return {row.id: [id_ for life, id_ in lives[row.name] if life >= row.life] for row in found}


def _used_by(tx: Connection, lives: set[int]) -> dict[int, Traffic]:
    """Return the whole usage of each of these lives of keys."""
    used = dict.fromkeys(lives, Traffic())
    rolled = select(ledger.c.rolled).scalar_subquery()
    for table, since in ((months, literal(0)), (fives, rolled)):
        query = select(table.c.key_id, func.sum(table.c.up), func.sum(table.c.down))
        query = query.where(table.c.key_id.in_(lives), table.c.t >= since)
        for life, up, down in tx.execute(query.group_by(table.c.key_id)):
            used[life] += Traffic(int(up), int(down))
    return used


def _life(tx: Connection, key: str, at: int) -> int:
    """Return the number of the key's latest life; an unknown key begins its first."""
    add_missing(tx, keys, [{"name": key, "life": 1, "born": at}])
    query = select(keys.c.id).where(keys.c.name == key).order_by(keys.c.life.desc()).limit(1)
    return int(tx.execute(query).scalar_one())


def _late_across(tx: Connection, mark: Row[Any], lives: Sequence[int]) -> Traffic:
    """Return the bytes that were read after *mark* and may have moved before its *since*."""
    query = select(func.sum(late.c.up), func.sum(late.c.down)).where(
        late.c.key_id.in_(lives), late.c.since < mark.since, late.c.until > mark.at
    )
    up, down = tx.execute(query).one()
    return Traffic(int(up or 0), int(down or 0))


def _read_since(tx: Connection, key: str, at: int) -> int:
    """Return since when a host that may hold bytes of *key* was not read."""
    hosts_of = _hosts_of(tx, key)
    return min([at, *(int(row.known if row.read is None else row.read) for row in hosts_of)])


def readings(tx: Connection, key: str) -> dict[str, datetime | None]:
    """Return, for each host that may hold bytes of *key*, its last reading; None if never."""
    return {row.name: None if row.read is None else when(row.read) for row in _hosts_of(tx, key)}


def _hosts_of(tx: Connection, key: str) -> list[Row[Any]]:
    """Return the hosts that may hold bytes of *key* which nobody has read yet."""
    lives = {row.id: row for row in tx.execute(select(keys).where(keys.c.name == key))}
    known = tx.execute(select(hosts)).all()
    reach = reach_of(tx, lives, None, {host.id: host.name for host in known}).get(key)
    return [
        host
        for host in known
        if host.gone is None and host.done is None and (reach is None or host.name in reach)
    ]
