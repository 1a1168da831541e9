"""Spans of time as people type them: a month, a day, a moment, ten minutes."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ops.errors import UsageError

_SPAN = re.compile(r"(\d+)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def zone(name: str) -> ZoneInfo:
    """Return the time zone called *name*; UsageError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is no time zone; write one such as Europe/Amsterdam") from None


def span(written: str) -> timedelta:
    """Return the length that *written* says; UsageError if it says none.

    >>> span("10m"), span("2d")
    (datetime.timedelta(seconds=600), datetime.timedelta(days=2))
    """
    found = _SPAN.fullmatch(written.strip())
    if not found:
        raise UsageError(f"{written!r} is no length of time; write 30s, 10m, 2h or 3d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def moment(written: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment that *written* says in *zone*: a date, a time, or ``2h`` ago.

    UsageError if it says none.
    """
    if _SPAN.fullmatch(written.strip()):
        ago = now - span(written)
        # Of days ago only whole hours are kept.
        return ago.replace(minute=0, second=0, microsecond=0) if written.endswith("d") else ago
    try:
        told = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError(
            f"{written!r} is no time; write 2026-11-01, 2026-11-01T12:00, or 2d for two days ago"
        ) from None
    return told if told.tzinfo else told.replace(tzinfo=zone).astimezone(UTC)


def month(written: str, today: date) -> tuple[int, int]:
    """Return the year and month that *written* says: ``2026-11``, ``this`` or ``last``."""
    if written == "this":
        return today.year, today.month
    if written == "last":
        before = today.replace(day=1) - timedelta(days=1)
        return before.year, before.month
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", written)
    if not found:
        raise UsageError(f"{written!r} is no month; write 2026-11, this or last")
    return int(found[1]), int(found[2])
