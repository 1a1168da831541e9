"""Cut a span of time into the largest buckets that are kept, so that a year is quick to sum."""

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
class Kept:
    """Which buckets a ledger has: rolled up before *rolled*, the finer ones since when."""

    zone: ZoneInfo
    rolled: int
    fives_from: int
    hours_from: int
    first: int
    """The first day with anything in it: before it there is nothing to cut."""
    last: int
    """The last five minutes with anything in it."""
    created: int


def pieces(since: int, until: int, kept: Kept) -> list[Piece]:
    """Return the pieces that [since, until) is made of, each byte in exactly one.

    UsageError where it begins or ends within a bucket whose parts are no longer kept.
    """
    begin = max(since, kept.first)
    if since <= kept.created < next_day(kept.first, kept.zone):
        begin = kept.first  # nothing was booked in that day before the ledger was made
    found = list(_joined(_rolled(begin, min(until, kept.rolled), until, kept)))
    if until > kept.rolled and max(since, kept.rolled) <= kept.last:
        found.append(Piece(fives, max(since, kept.rolled), until))
    return found


def _rolled(since: int, end: int, until: int, kept: Kept) -> Iterator[Piece]:
    """Yield a piece a bucket. A bucket that is still filled ends where the roll-up does."""
    limit = until if until < kept.rolled else kept.rolled + 40 * 86400
    now = since
    while now < end:
        month, day = next_month(now, kept.zone), next_day(now, kept.zone)
        if now == month_of(now, kept.zone) and month <= limit:
            piece = Piece(months, now, month)
        elif now == day_of(now, kept.zone) and day <= limit:
            piece = Piece(days, now, day)
        elif now % HOUR == 0 and now + HOUR <= limit and now >= kept.hours_from:
            piece = Piece(hours, now, now + HOUR)
        elif now >= kept.fives_from:
            piece = Piece(fives, now, now + FIVE)
        else:
            raise UsageError(_too_fine(now, kept))
        yield piece
        now = piece.until


def _too_fine(second: int, kept: Kept) -> str:
    at = when(second * 1000).astimezone(kept.zone)
    hours_from = when(kept.hours_from * 1000).astimezone(kept.zone)
    return (
        f"{at:%Y-%m-%d %H:%M} is within a day of the ledger's zone, {kept.zone}, and hours are "
        f"kept from {hours_from:%Y-%m-%d %H:%M} on: ask for whole days there"
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
