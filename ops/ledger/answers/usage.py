"""Usage: bytes by key, host and span of time, with the certainty of each figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, func, select

from ops.ledger.answers.calendar import moment, when
from ops.ledger.answers.known import Known
from ops.ledger.answers.marks import Mark, marks_of
from ops.ledger.answers.missing import Missing, certainty, missing
from ops.ledger.answers.periods import Piece, Retention, pieces
from ops.ledger.answers.question import Asked, Question
from ops.ledger.answers.spans import Span, spans
from ops.ledger.answers.sureness import Sureness, concerns, late_times
from ops.ledger.booking.lateness import Late, late_bytes
from ops.ledger.database.schema import days, fives
from ops.model import Certainty, Traffic

Place = tuple[int, int, int]
"""The numbers of span, key and host; 0 if rows are not grouped by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Usage of one key, host and span. A field is empty if rows are not grouped by it."""

    key: str = ""
    life: int = 1
    """The number of the key's life: a key that was deleted and made again has a second one."""
    gone: datetime | None = None
    """The moment at which the key left the inventory."""
    host: str = ""
    since: datetime
    until: datetime
    traffic: Traffic
    certainty: Certainty
    reset: datetime | None = None
    """When the key was last reset, in answers since resets."""
    late: bool = False
    """Whether these bytes moved between *since* and *until* at an unknown hour or day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """An answer of the ledger: rows, and the reasons why they may lack bytes."""

    since: datetime
    until: datetime
    zone: str
    rows: tuple[UsageRow, ...]
    certainty: Certainty
    """The certainty of the total; single rows may be less certain."""
    missing: tuple[Missing, ...]
    as_of: datetime | None
    """The oldest of *read_at*; None if there is none."""
    read_at: Mapping[str, datetime | None]
    """By host that may still count: the moment of its last booked reading; None if never read."""

    @property
    def total(self) -> Traffic:
        """Return the sum of the rows."""
        return sum((row.traffic for row in self.rows), Traffic())


_FILLED = select(
    select(func.min(days.c.t)).scalar_subquery(), select(func.max(fives.c.t)).scalar_subquery()
)


def usage(tx: Connection, question: Question, now: int) -> Usage:
    """Answer *question*. UsageError if it needs hours that are deleted."""
    known = Known.of(tx)
    frame = known.frame
    zone = ZoneInfo(question.zone or frame.zone)
    first, last = tx.execute(_FILLED).one()
    fine = frame.rolled, frame.fives_from, frame.hours_from
    filled = first or frame.rolled, last or 0
    retention = Retention(ZoneInfo(frame.zone), *fine, *filled, frame.created // 1000)
    parts = spans(question.since, question.until, question.by, zone)
    asked = Asked(tx, question, known)
    late = late_bytes(tx, parts, asked.keys, asked.hosts)
    latest = max([now, *(row.read or 0 for row in asked.hosts.values())])
    past = [part for part in parts if part.since * 1000 <= latest]
    sums = _sums(asked, past, retention, late)
    span = parts[0].since * 1000, parts[-1].until * 1000
    found = missing(tx, known, *span, now, asked.inventory, with_late=False)
    about = [m for m in found if asked.about(m.host)]
    sure = Sureness(asked, parts, about, late, frame.created // 1000)
    rows = (*_rows(asked, parts, sums, sure), *_late_rows(asked, late, zone))
    return Usage(
        since=when(span[0]).astimezone(zone),
        until=when(span[1]).astimezone(zone),
        zone=str(zone),
        rows=rows,
        certainty=sure.of_total(sum((row.traffic for row in rows), Traffic())),
        missing=(*about, *late_times(asked, late)),
        as_of=asked.as_of,
        read_at=asked.read_at,
    )


def _sums(
    asked: Asked, parts: Sequence[Span], retention: Retention, late: Late
) -> dict[Place, Traffic]:
    sums: dict[Place, Traffic] = {}

    def add(index: int, key: int, host: int, used: Traffic) -> None:
        place = index, key, host
        sums[place] = sums.get(place, Traffic()) + used

    whole: dict[Table, dict[int, int]] = {}
    """By table: each bucket that is exactly one part, and the number of that part."""
    for index, part in enumerate(parts):
        for piece in pieces(part.since, part.until, retention):
            same = (piece.since, piece.until) == (part.since, part.until)
            if same and part.is_bucket_of(piece.table.name):
                whole.setdefault(piece.table, {})[part.since] = index
            else:
                for _, key, host, used in asked.sums(piece):
                    add(index, key, host, used)
    for table, indexes in whole.items():
        stretch = Piece(table, min(indexes), parts[max(indexes.values())].until)
        for bucket, key, host, used in asked.sums(stretch, by_bucket=True):
            if bucket in indexes:
                add(indexes[bucket], key, host, used)
    for (index, key, host), used in late.taken.items():
        place = index, *asked.place(key, host)
        sums[place] -= used
    return {place: used for place, used in sums.items() if used.total}


def since_marks(tx: Connection, question: Question, now: int) -> Usage:
    """Return the usage of each key since its last mark; keys without a mark are left out."""
    last = {mark.key: mark for mark in marks_of(tx, question.keys)}
    everything = Known.of(tx)
    asked = Asked(tx, question, everything)
    zone = ZoneInfo(question.zone or everything.frame.zone)
    until = when(now).astimezone(zone)
    rows, found = [], set()
    for mark in last.values():
        begin = moment(mark.counted_from)
        reasons = missing(tx, everything, begin, now, now, asked.inventory)
        row, known = _since_mark(asked, mark, reasons, until)
        rows.append(row)
        found |= set(known)
    worst = [row.certainty for row in rows]
    return Usage(
        since=min((row.since for row in rows), default=until),
        until=until,
        zone=str(zone),
        rows=tuple(rows),
        certainty="exact" if set(worst) <= {"exact"} else "at least",
        missing=tuple(sorted(found, key=lambda one: (one.host, one.since))),
        as_of=asked.as_of,
        read_at=asked.read_at,
    )


def _since_mark(
    asked: Asked, mark: Mark, reasons: Sequence[Missing], until: datetime
) -> tuple[UsageRow, list[Missing]]:
    """Return the row of the key of *mark*, and those of *reasons* that concern it."""
    reach = asked.reach(mark.key)
    since = mark.counted_from.astimezone(until.tzinfo)
    # It is about now, not about the past: a reason that ended before the mark is none.
    known = [
        one
        for one in reasons
        if one.kind not in ("shared", "late")
        and concerns(one, reach)
        and one.effect(since, until) != "exact"
    ]
    sure = certainty(known, since, until, asked.everyone if reach is None else reach)
    row = UsageRow(
        key=mark.key,
        since=since,
        until=until,
        traffic=mark.after,
        certainty="at least" if mark.cut and sure == "exact" else sure,
        reset=mark.at.astimezone(until.tzinfo),
    )
    return row, known


def _rows(
    asked: Asked, parts: Sequence[Span], sums: Mapping[Place, Traffic], sure: Sureness
) -> Iterator[UsageRow]:
    there: set[str] = set()
    for (index, key_id, host_id), traffic in sums.items():
        name, host = asked.key_name(key_id), asked.names.get(host_id, "")
        there |= {name or host} if not key_id or asked.keys[key_id].gone is None else set()
        yield UsageRow(
            **asked.about_key(key_id),
            host=host,
            since=parts[index].begin,
            until=parts[index].end,
            traffic=traffic,
            certainty=sure.of(index, name, host, traffic),
        )
    if asked.question.opens is not None and set(asked.question.by) == {"key"}:
        yield from (_unused(parts, sure, key=name) for name in asked.openers() if name not in there)
    if asked.question.opens is not None and set(asked.question.by) == {"host"}:
        for name in sorted(asked.places() - there):
            row = _unused(parts, sure, host=name)
            # A host that left matters only where its bytes may be missing.
            if name in asked.read_at or row.certainty != "exact":
                yield row


def _late_rows(asked: Asked, late: Late, zone: ZoneInfo) -> Iterator[UsageRow]:
    """Yield rows for bytes of the whole span with an unknown hour, day or month."""
    sums: dict[tuple[int, int, int, int], Traffic] = {}
    for (since, until, key, host), used in late.rows.items():
        place = since, until, *asked.place(key, host)
        sums[place] = sums.get(place, Traffic()) + used
    for (since, until, key, host), used in sums.items():
        yield UsageRow(
            **asked.about_key(key),
            host=asked.names.get(host, ""),
            since=when(since).astimezone(zone),
            until=when(until).astimezone(zone),
            traffic=used,
            certainty="exact",
            late=True,
        )


def _unused(parts: Sequence[Span], sure: Sureness, *, key: str = "", host: str = "") -> UsageRow:
    """Return the row of a key or host without bytes: 0 is an answer, too."""
    return UsageRow(
        key=key,
        host=host,
        since=parts[0].begin,
        until=parts[0].end,
        traffic=Traffic(),
        certainty=sure.of(0, key, host, Traffic()),
    )
