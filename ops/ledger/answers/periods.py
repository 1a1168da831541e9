"""Cut a span of time into the largest stored buckets, so that a year is quick to sum."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Table

from ops.errors import UsageError
from ops.ledger.answers.calendar import FIVE, HOUR, day_of, month_of, next_day, next_month, when
from ops.ledger.database.schema import days, fives, hours, months


@dataclass(frozen=True, slots=True)
class Piece:
    """The buckets of *table* that begin within [since, until)."""

    table: Table
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Retention:
    """The buckets that a ledger has. Moments are seconds.

    Before *rolled* there are hours, days and months; fives and hours begin at *fives_from* and
    *hours_from*.
    """

    zone: ZoneInfo
    rolled: int
    fives_from: int
    hours_from: int
    first: int
    """The first day with any byte."""
    last: int
    """The last five-minute bucket with any byte."""
    created: int


def pieces(since: int, until: int, retention: Retention) -> list[Piece]:
    """Return pieces that cover [since, until), each byte in exactly one piece.

    UsageError if it begins or ends within a day of which the hours are deleted.
    """
    begin = max(since, retention.first)
    if since <= retention.created < next_day(retention.first, retention.zone):
        begin = retention.first  # no byte of that day is older than the ledger
    found = list(_joined(_rolled(begin, min(until, retention.rolled), until, retention)))
    if until > retention.rolled and max(since, retention.rolled) <= retention.last:
        found.append(Piece(fives, max(since, retention.rolled), until))
    return found


def _rolled(since: int, end: int, until: int, retention: Retention) -> Iterator[Piece]:
    """Yield one piece for each bucket. The newest buckets may be filled only until *rolled*."""
    limit = until if until < retention.rolled else retention.rolled + 40 * 86400
    now = since
    while now < end:
        month, day = next_month(now, retention.zone), next_day(now, retention.zone)
        if now == month_of(now, retention.zone) and month <= limit:
            piece = Piece(months, now, month)
        elif now == day_of(now, retention.zone) and day <= limit:
            piece = Piece(days, now, day)
        elif now % HOUR == 0 and now + HOUR <= limit and now >= retention.hours_from:
            piece = Piece(hours, now, now + HOUR)
        elif now >= retention.fives_from:
            piece = Piece(fives, now, now + FIVE)
        else:
            raise UsageError(_too_fine(now, retention))
        yield piece
        now = piece.until


def _too_fine(second: int, retention: Retention) -> str:
    at = when(second * 1000).astimezone(retention.zone)
    hours_from = when(retention.hours_from * 1000).astimezone(retention.zone)
    return (
        f"{at:%Y-%m-%d %H:%M} is within a day of the ledger's zone, {retention.zone}, and "
        f"hours are kept from {hours_from:%Y-%m-%d %H:%M} on: ask for whole days there"
    )


def _joined(found: Iterator[Piece]) -> Iterator[Piece]:
    last: Piece | None = None
    for piece in found:
        if last and last.table is piece.table and last.until == piece.since:
            last = Piece(last.table, last.since, piece.until)
        else:
            if last:
                yield last
            last = piece
    if last:
        yield last
