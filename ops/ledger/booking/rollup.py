"""Once an hour is over, add it to the hours, the days and the months."""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, select, text, update

from ops.ledger.answers.calendar import hour_of, segments
from ops.ledger.database.bulk import conflict
from ops.ledger.database.schema import days, fives, hours, ledger, months


def due(tx: Connection, now: int) -> bool:
    """Say whether an hour has ended since the last roll-up."""
    rolled: int = tx.execute(select(ledger.c.rolled)).scalar_one()
    return hour_of(now // 1000) > rolled


def roll(tx: Connection, now: int) -> None:
    """Roll up all hours that ended before the moment *now*; bookings wait meanwhile."""
    frame = tx.execute(select(ledger).with_for_update()).one()
    upto = hour_of(now // 1000)
    if upto <= frame.rolled:
        return
    there = select(fives.c.t).distinct().order_by(fives.c.t)
    spans = there.where(fives.c.t >= frame.rolled, fives.c.t < upto)
    seconds = iter(list(tx.execute(spans).scalars()))
    for begin, until, hour, day, month in segments(seconds, ZoneInfo(frame.zone)):
        _add(tx, hours, hour, begin, until)
        _add(tx, days, day, begin, until)
        _add(tx, months, month, begin, until)
    tx.execute(update(ledger).values(rolled=upto))


def _add(tx: Connection, table: Table, bucket: int, begin: int, until: int) -> None:
    tx.execute(
        text(
            f"INSERT INTO {table.name} (t, key_id, host_id, up, down) "  # noqa: S608 - our own names
            "SELECT CAST(:bucket AS BIGINT), key_id, host_id, SUM(up), SUM(down) FROM fives "
            f"WHERE t >= :begin AND t < :until GROUP BY key_id, host_id {conflict(table)}"
        ),
        {"bucket": bucket, "begin": begin, "until": until},
    )
