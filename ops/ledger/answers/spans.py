"""Spans of time in the hours, days and months of a zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ops.errors import UsageError
from ops.ledger.answers.calendar import FIVE, HOUR, midnight, month_after, next_day, next_month

By = Literal["key", "host", "hour", "day", "month"]
BY_KEY: tuple[By, ...] = ("key",)
_MOST = 5000
"""Most spans in one answer; a question for more lines is a mistake."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one second to another, in a zone."""

    since: int
    until: int
    zone: ZoneInfo

    @property
    def begin(self) -> datetime:
        """Return the first moment."""
        return datetime.fromtimestamp(self.since, self.zone)

    @property
    def end(self) -> datetime:
        """Return the moment after the span."""
        return datetime.fromtimestamp(self.until, self.zone)

    def is_bucket_of(self, table: str) -> bool:
        """Say whether the span is exactly one bucket of *table*."""
        if table == "hours":
            return self.until == self.since + HOUR
        following = {"days": next_day, "months": next_month}.get(table)
        return following is not None and self.until == following(self.since, self.zone)


def spans(since: datetime, until: datetime, by: Sequence[By], zone: ZoneInfo) -> list[Span]:
    """Return [since, until), cut into the hours, days or months of *zone* that *by* names.

    Both ends are widened to whole buckets of five minutes. UsageError if the span is empty, or if
    there are too many parts.
    """
    begin = int(since.timestamp()) // FIVE * FIVE
    end = -(-int(until.timestamp()) // FIVE) * FIVE
    if end <= begin:
        raise UsageError(f"nothing lies between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M}")
    found: list[Span] = []
    while begin < end:
        after = min(_next(begin, by, zone) or end, end)
        found.append(Span(begin, after, zone))
        begin = after
        if len(found) > _MOST:
            raise UsageError(f"that is more than {_MOST} lines of time: ask for a shorter one")
    return found


def _next(second: int, by: Sequence[By], zone: ZoneInfo) -> int | None:
    if "hour" in by:
        return second - second % HOUR + HOUR
    if "day" in by:
        return next_day(second, zone)
    return next_month(second, zone) if "month" in by else None


def month(year: int, number: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the beginnings of a calendar month in *zone* and of the next month."""
    first = date(year, number, 1)
    return _at(first, zone), _at(month_after(first), zone)


def billing_month(day: int, today: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the hoster's month that holds *today*.

    It begins on *day*; in a shorter month, on the last day.
    """
    this = _on(today.year, today.month, day)
    if today < this:
        before = today.replace(day=1) - timedelta(days=1)
        return _at(_on(before.year, before.month, day), zone), _at(this, zone)
    after = month_after(today)
    return _at(this, zone), _at(_on(after.year, after.month, day), zone)


def _on(year: int, number: int, day: int) -> date:
    last = month_after(date(year, number, 1)) - timedelta(days=1)
    return last.replace(day=min(day, last.day))


def _at(day: date, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(midnight(day, zone), UTC).astimezone(zone)
