"""Times as people write them: a length, a moment, a month, a time zone."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ops.errors import UsageError
from ops.model.visible import visible

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_YEARS = range(1970, 9000)
"""Years that a moment or a month may have: with others, calculations with dates overflow."""
LONGEST = timedelta(days=20_000)
"""The longest time to wait or to look back: back to the first of these years."""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def length(written: str) -> timedelta:
    """Return the length of time *written*, in seconds if it has no unit.

    Raises UsageError for anything else, and for a length of 0.

    >>> length("0.5h"), length("2d")
    (datetime.timedelta(seconds=1800), datetime.timedelta(days=2))
    """
    match = _LENGTH.fullmatch(written.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0
    if seconds > LONGEST.total_seconds():
        raise UsageError(f"{visible(written, 40)!r} is too long: write at most {LONGEST.days}d")
    if not (span := timedelta(seconds=seconds)):
        raise UsageError(f"{written!r} is no length of time; write 30s, 5m, 1h or 2d")
    return span


def moment(written: str, zone: "ZoneInfo", now: datetime) -> datetime:
    """Return the moment *written*: a date or time in *zone*, or a length such as ``2h`` before now.

    A length in days goes back to the beginning of that hour, because the ledger keeps older
    figures by the hour. Raises UsageError for anything else.
    """
    match = _LENGTH.fullmatch(written.strip())
    if match and match[2]:
        before = now - length(written)
        return before.replace(minute=0, second=0, microsecond=0) if match[2] == "d" else before
    try:
        read: datetime | None = datetime.fromisoformat(written)
    except ValueError:
        read = None
    if read is None or read.year not in _YEARS:
        raise UsageError(
            f"{written!r} is no time; write 2026-11-01, 2026-11-01T12:00, or 2d for two days ago"
        )
    return read if read.tzinfo else read.replace(tzinfo=zone).astimezone(UTC)


def month(written: str, today: date) -> tuple[int, int]:
    """Return the year and the month *written*: ``2026-11``, ``this`` or ``last``.

    Raises UsageError for anything else.
    """
    if written == "this":
        return today.year, today.month
    if written == "last":
        before = today.replace(day=1) - timedelta(days=1)
        return before.year, before.month
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", written)
    if not match or int(match[1]) not in _YEARS:
        raise UsageError(f"{written!r} is no month; write 2026-11, this or last")
    return int(match[1]), int(match[2])


def time_zone(name: str) -> "ZoneInfo":
    """Return the time zone called *name*; raises UsageError if there is none."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 3 ms that `ops traffic` does without

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is no time zone; write one such as Europe/Amsterdam") from None
