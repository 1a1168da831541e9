"""Moments and buckets of UTC: a moment is in milliseconds, a bucket is its first second."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

FIVE = 300
"""Seconds of the finest bucket; the offset of every zone in use is a multiple of it."""
HOUR = 3600
"""Seconds of an hour. Hours are UTC's, so that they add up to days in nearly every zone."""


def moment(when: datetime) -> int:
    """Return *when* as milliseconds."""
    return round(when.timestamp() * 1000)


def when(moment: int) -> datetime:
    """Return the *moment* as a datetime."""
    return datetime.fromtimestamp(moment / 1000, UTC)


def five_of(moment: int) -> int:
    """Return the five-minute bucket that holds *moment*."""
    second = moment // 1000
    return second - second % FIVE


def hour_of(second: int) -> int:
    """Return the hour bucket that holds *second*."""
    return second - second % HOUR


def day_of(second: int, zone: ZoneInfo) -> int:
    """Return the bucket of the day in *zone* that holds *second*."""
    return midnight(_local(second, zone).date(), zone)


def month_of(second: int, zone: ZoneInfo) -> int:
    """Return the bucket of the month in *zone* that holds *second*."""
    return midnight(_local(second, zone).date().replace(day=1), zone)


def next_day(second: int, zone: ZoneInfo) -> int:
    """Return the midnight in *zone* that follows *second*."""
    return midnight(_local(second, zone).date() + timedelta(days=1), zone)


def next_month(second: int, zone: ZoneInfo) -> int:
    """Return the beginning of the month in *zone* that follows *second*."""
    return midnight(month_after(_local(second, zone).date()), zone)


def month_after(day: date) -> date:
    """Return the first day of the month after that of *day*.

    >>> month_after(date(2026, 12, 31))
    datetime.date(2027, 1, 1)
    """
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def midnight(day: date, zone: ZoneInfo) -> int:
    """Return the first second of *day* in *zone*, also if a clock change skips or repeats 00:00."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def segments(fives: Iterator[int], zone: ZoneInfo) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (from, until, hour, day, month) for each span with at least one of *fives*.

    *fives* are five-minute buckets in ascending order. A span is an hour. In a zone with an offset
    of half an hour, midnight cuts an hour into two spans.
    """
    until = 0
    for five in fives:
        if five >= until:
            hour, midnight_next = hour_of(five), next_day(five, zone)
            day = day_of(five, zone)
            begin = max(hour, day)
            until = min(hour + HOUR, midnight_next)
            yield begin, until, hour, day, month_of(five, zone)


def _local(second: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(second, zone)
