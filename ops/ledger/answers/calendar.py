"""Moments and buckets. A moment is milliseconds, a bucket the second it begins at, both UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

FIVE = 300
"""Seconds of the finest bucket: no zone of today is off by less than a multiple of it."""
HOUR = 3600
"""Hours are UTC's, so that they add up to days in (nearly) every zone."""


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
    """Return the second at which *day* begins in *zone*, also where 00:00 is skipped or twice."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def segments(fives: Iterator[int], zone: ZoneInfo) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (from, until, hour, day, month) for the spans that *fives*, ascending, lie in.

    A span is an hour, or the part of one before or after midnight where the zone is off by a half.
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
