"""Marks: a reset for people. Nothing is zeroed; what was used until then is remembered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, literal, select, update

from ops.ledger.bulk import add_missing
from ops.ledger.calendar import when
from ops.ledger.schema import counters, fives, hosts, keys, ledger, marks, months, users
from ops.model import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A key was reset *at*; its hosts had been read *counted_from* then, or later."""

    key: str
    life: int
    """Which life of the key: one that was deleted and made again has a second."""
    at: datetime
    counted_from: datetime
    before: Traffic
    """What the key had used until then, since ever."""
    after: Traffic
    """What it has used since."""


def set_mark(tx: Connection, key: str, at: int, token: str) -> int:
    """Mark *key* at the moment *at*, once a *token*; return the key's number."""
    tx.execute(select(ledger).with_for_update()).one()  # nobody books meanwhile
    life = _life(tx, key, at)
    if not tx.execute(select(marks.c.id).where(marks.c.token == token)).first():
        used = _used_by(tx, {life})[life]
        values = {"key_id": life, "at": at, "since": _read_since(tx, key, at), "token": token}
        tx.execute(insert(marks).values(**values, up=used.uplink, down=used.downlink))
    return life


def before_marks(tx: Connection, late: Iterable[tuple[int, int, int, int]]) -> None:
    """Count what was read before a mark, but is booked only now, as used before it."""
    for key, moment, up, down in late:
        tx.execute(
            update(marks)
            .where(marks.c.key_id == key, marks.c.at >= moment)
            .values(up=marks.c.up + up, down=marks.c.down + down)
        )


def marks_of(tx: Connection, names: Iterable[str] | None) -> list[Mark]:
    """Return the marks of the keys called *names*, of all keys if None, oldest first."""
    query = select(marks, keys.c.name, keys.c.life).join(keys).order_by(marks.c.at, marks.c.id)
    if names is not None:
        query = query.where(keys.c.name.in_(list(names)))
    found = tx.execute(query).all()
    used = _used_by(tx, {row.key_id for row in found})
    return [
        Mark(
            key=row.name,
            life=row.life,
            at=when(row.at),
            counted_from=when(row.since),
            before=Traffic(row.up, row.down),
            after=Traffic(used[row.key_id].uplink - row.up, used[row.key_id].downlink - row.down),
        )
        for row in found
    ]


def _used_by(tx: Connection, lives: set[int]) -> dict[int, Traffic]:
    """Return all that each of these lives of keys ever used."""
    used = dict.fromkeys(lives, Traffic())
    rolled = select(ledger.c.rolled).scalar_subquery()
    for table, since in ((months, literal(0)), (fives, rolled)):
        query = select(table.c.key_id, func.sum(table.c.up), func.sum(table.c.down))
        query = query.where(table.c.key_id.in_(lives), table.c.t >= since)
        for life, up, down in tx.execute(query.group_by(table.c.key_id)):
            used[life] += Traffic(int(up), int(down))
    return used


def _life(tx: Connection, key: str, at: int) -> int:
    """Return the number of the key's latest life; one that used nothing yet begins its first."""
    add_missing(tx, keys, [{"name": key, "life": 1, "born": at}])
    query = select(keys.c.id).where(keys.c.name == key).order_by(keys.c.life.desc()).limit(1)
    return int(tx.execute(query).scalar_one())


def _read_since(tx: Connection, key: str, at: int) -> int:
    """Return when the host of *key* that waited longest had last been read."""
    query = (
        select(func.min(hosts.c.read))
        .join(counters, counters.c.run_id == hosts.c.run_id)
        .join(users, users.c.id == counters.c.user_id)
        .where(hosts.c.gone.is_(None))
        .where((users.c.name == key) | users.c.name.startswith(f"{key}~", autoescape=True))
    )
    return min(tx.execute(query).scalar() or at, at)
