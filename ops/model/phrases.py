"""Parts of sentences: counts with nouns, lists of names, durations."""

from collections.abc import Sequence
from datetime import timedelta


def counted(count: int, noun: str) -> str:
    """Return *count* with its noun.

    >>> counted(1, "host"), counted(2, "key"), counted(0, "host")
    ('1 host', '2 keys', '0 hosts')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Sequence[str], most: int = 6, noun: str = "") -> str:
    """Return the first *most* names, and the number of the others with their plural *noun*.

    >>> listed(["a", "b", "c"], most=2), listed(["a", "b", "c"], most=1, noun="hosts")
    ('a, b and 1 more', 'a and 2 more hosts')
    """
    more = len(names) - most
    rest = f" and {more} more{f' {noun}' if noun else ''}" if more > 0 else ""
    return ", ".join(names[:most]) + rest


def duration(length: timedelta) -> str:
    """Return *length* in its two largest units.

    >>> duration(timedelta(seconds=5)), duration(timedelta(hours=26, minutes=3))
    ('5s', '1d 2h')
    """
    seconds = int(length.total_seconds())
    parts = [("d", seconds // 86400), ("h", seconds // 3600 % 24)]
    parts += [("m", seconds // 60 % 60), ("s", seconds % 60)]
    while len(parts) > 1 and not parts[0][1]:
        parts.pop(0)
    return " ".join(f"{value}{unit}" for unit, value in parts[:2] if value) or "0s"
