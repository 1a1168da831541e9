"""Add each past hour to the buckets of hours, days and months."""

from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, TextClause, bindparam, func, select, text, update

from ops.ledger.answers.calendar import hour_of, segments
from ops.ledger.database.bulk import conflict
from ops.ledger.database.schema import days, fives, hosts, hours, ledger, months

_FRAME = select(ledger).with_for_update()
_UNTIL = select(ledger.c.rolled, select(func.max(hosts.c.read)).scalar_subquery().label("read"))
_THERE = (
    select(fives.c.t)
    .distinct()
    .where(fives.c.t >= bindparam("begin"), fives.c.t < bindparam("end"))
    .order_by(fives.c.t)
)


def due(tx: Connection, now: int) -> bool:
    """Say whether an hour has ended since the last roll-up."""
    rolled, read = tx.execute(_UNTIL).one()
    return hour_of(max(now, read or 0) // 1000) > int(rolled)


def roll(tx: Connection, now: int) -> None:
    """Roll up all hours that ended before *now*; bookings wait for the lock."""
    frame = tx.execute(_FRAME).one()
    upto = hour_of(max(now, tx.execute(_UNTIL).one().read or 0) // 1000)
    if upto <= frame.rolled:
        return
    there = tx.execute(_THERE, {"begin": frame.rolled, "end": upto}).scalars()
    seconds = iter(list(there))
    for begin, until, hour, day, month in segments(seconds, ZoneInfo(frame.zone)):
        _add(tx, hours, hour, begin, until)
        _add(tx, days, day, begin, until)
        _add(tx, months, month, begin, until)
    tx.execute(update(ledger).values(rolled=upto))


def _add(tx: Connection, table: Table, bucket: int, begin: int, until: int) -> None:
    tx.execute(_adding(table), {"bucket": bucket, "begin": begin, "until": until})


@cache
def _adding(table: Table) -> TextClause:
    return text(
        f"INSERT INTO {table.name} (t, key_id, host_id, up, down) "  # noqa: S608 - our own names
        "SELECT CAST(:bucket AS BIGINT), key_id, host_id, SUM(up), SUM(down) FROM fives "
        f"WHERE t >= :begin AND t < :until GROUP BY key_id, host_id {conflict(table)}"
    )
