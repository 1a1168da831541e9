"""Late bytes: over five minutes lie between their reading and the reading before.

They moved at an unknown moment in between. The buckets of their reading hold them. A span that
does not contain the whole time must not claim them; tables of hours or days show them in rows of
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
"""Milliseconds: bytes moved after the first and until the second."""
Place = tuple[int, int]
"""Key and host."""


@dataclass(slots=True)
class Late:
    """The late bytes that spans of an answer cannot claim."""

    taken: dict[tuple[int, int, int], Traffic] = field(default_factory=dict)
    """By span, key and host: bytes in the buckets of the span that it must not claim."""
    rows: dict[tuple[int, int, int, int], Traffic] = field(default_factory=dict)
    """By since, until, key and host: bytes of the whole span that no single part can claim."""
    shaken: set[tuple[int, int, int]] = field(default_factory=set)
    """Span, key and host of figures that may lack bytes of their span."""
    cut: set[Place] = field(default_factory=set)
    """Key and host of figures that may lack bytes of the whole span."""
    times: set[tuple[int, int, int]] = field(default_factory=set)
    """Host, since and until of all these bytes."""


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
    """Yield the indexes of the parts in which the bytes of *row* may have moved."""
    low, high = 0, len(parts)
    while low < high:  # the first part that ends after the bytes began to move
        middle = (low + high) // 2
        low, high = (middle + 1, high) if parts[middle].until * 1000 <= row.since else (low, middle)
    while low < len(parts) and parts[low].since * 1000 <= row.until:
        yield low
        low += 1
