"""Late bytes: read so long after the reading before that nobody knows when they moved.

They are in the buckets of the moment at which they were read. A span that does not hold the whole
time in which they moved must not claim them; a table of hours or days tells them in rows of
their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ops.ledger.answers.calendar import five_of
from ops.ledger.answers.spans import Span
from ops.ledger.database.schema import late
from ops.model import Traffic

_CROSSING = select(late).where(late.c.until >= bindparam("begin"), late.c.since < bindparam("end"))
Between = tuple[int, int]
"""Milliseconds after which, and until which, bytes moved."""
Place = tuple[int, int]
"""Key and host."""


@dataclass(slots=True)
class Late:
    """The late bytes that some spans cannot claim."""

    taken: dict[tuple[int, int, int], Traffic] = field(default_factory=dict)
    """By span, key and host: bytes that its buckets hold and it must not claim."""
    rows: dict[tuple[int, int, int, int], Traffic] = field(default_factory=dict)
    """By since, until, key and host: bytes that moved in the whole span, but in no one part."""
    shaken: set[tuple[int, int, int]] = field(default_factory=set)
    """Span, key and host: figures that lack some of the bytes that may have moved in the span."""
    cut: set[Place] = field(default_factory=set)
    """Key and host: figures of the whole span that lack such bytes."""
    times: set[tuple[int, int, int]] = field(default_factory=set)
    """Host, since and until of all of these."""


def late_bytes(
    tx: Connection, parts: Sequence[Span], keys: Iterable[int], hosts: Iterable[int]
) -> Late:
    """Return the late bytes of *keys* on *hosts* that cross an edge of *parts*, in their order."""
    begin, end = parts[0].since * 1000, parts[-1].until * 1000
    asked_keys, asked_hosts = set(keys), set(hosts)
    found = Late()
    for row in tx.execute(_CROSSING, {"begin": begin, "end": end}):
        if row.key_id in asked_keys and row.host_id in asked_hosts:
            _sort(found, row, parts, begin, end)
    return found


def _sort(found: Late, row: Any, parts: Sequence[Span], begin: int, end: int) -> None:
    booked = five_of(row.until)
    used = Traffic(row.up, row.down)
    for index in _touched(row, parts):
        part = parts[index]
        within = part.since <= booked < part.until
        if within and part.since * 1000 <= row.since:
            return  # the usual case: one part holds all of it
        found.shaken.add((index, row.key_id, row.host_id))
        if within:
            place = index, row.key_id, row.host_id
            found.taken[place] = found.taken.get(place, Traffic()) + used
    found.times.add((row.host_id, row.since, row.until))
    if begin <= row.since and booked * 1000 < end:
        moment = row.since, row.until, row.key_id, row.host_id
        found.rows[moment] = used
    else:
        found.cut.add((row.key_id, row.host_id))


def _touched(row: Any, parts: Sequence[Span]) -> Iterator[int]:
    """Yield the numbers of the parts in which the bytes may have moved."""
    low, high = 0, len(parts)
    while low < high:  # the first part that ends after the bytes began to move
        middle = (low + high) // 2
        low, high = (middle + 1, high) if parts[middle].until * 1000 <= row.since else (low, middle)
    while low < len(parts) and parts[low].since * 1000 <= row.until:
        yield low
        low += 1
