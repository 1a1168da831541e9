"""Usage: bytes of a key, a host, a span of time, and how sure each figure is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, func, select

from ops.ledger.calendar import moment, when
from ops.ledger.marks import marks_of
from ops.ledger.missing import Missing, certainty, missing
from ops.ledger.pieces import Kept, Piece, pieces
from ops.ledger.schema import days, hosts, keys, ledger
from ops.ledger.spans import BY_KEY, By, Span, spans
from ops.model import Certainty, Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What one key, host or span used; what the row is not about is empty."""

    key: str = ""
    life: int = 1
    """A key that was deleted and made again has a second one."""
    gone: datetime | None = None
    """When the key left the inventory."""
    host: str = ""
    since: datetime
    until: datetime
    traffic: Traffic
    certainty: Certainty


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """An answer of the ledger: its rows, and all that is known to be missing from them."""

    since: datetime
    until: datetime
    zone: str
    rows: tuple[UsageRow, ...]
    missing: tuple[Missing, ...]
    as_of: datetime | None
    """When the host that waited longest was last read; None where none ever was."""

    @property
    def total(self) -> Traffic:
        """Return the sum of the rows."""
        return sum((row.traffic for row in self.rows), Traffic())

    @property
    def certainty(self) -> Certainty:
        """Return how sure the total is; its parts may be less so."""
        alone = len({row.host for row in self.rows if row.host}) == 1
        return certainty(self.missing, self.since, self.until, alone=alone)


class Narrowed(TypedDict, total=False):
    """What an answer may be narrowed to; see :class:`Question`."""

    zone: str
    keys: Collection[str] | None
    hosts: Collection[str] | None
    spliced: Collection[str]
    opens: Mapping[str, Collection[str]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the ledger."""

    since: datetime
    until: datetime
    by: Sequence[By] = BY_KEY
    zone: str = ""
    """In whose hours, days and months; the ledger's own if empty."""
    keys: Collection[str] | None = None
    hosts: Collection[str] | None = None
    spliced: Collection[str] = ()
    opens: Mapping[str, Collection[str]] | None = None
    """The hosts that each key of the inventory may use; other keys may have used all."""


Place = tuple[int, int, int]
"""Span, key and host; 0 where the rows are not about them."""


def usage(tx: Connection, question: Question, now: int) -> Usage:
    """Answer *question*. UsageError where it is finer than what is kept."""
    frame = tx.execute(select(ledger)).one()
    zone = ZoneInfo(question.zone or frame.zone)
    first = tx.execute(select(func.min(days.c.t))).scalar() or frame.rolled
    fine = frame.rolled, frame.fives_from, frame.hours_from
    kept = Kept(ZoneInfo(frame.zone), *fine, first, frame.created // 1000)
    parts = spans(question.since, question.until, question.by, zone)
    sums: dict[Place, Traffic] = {}
    asked = _Asked(tx, question)
    for index, part in enumerate(parts):
        for piece in pieces(part.since, part.until, kept):
            for key, host, traffic in asked.sums(piece):
                place = index, key, host
                sums[place] = sums.get(place, Traffic()) + traffic
    span = parts[0].since * 1000, parts[-1].until * 1000
    known = [m for m in missing(tx, *span, now, question.spliced) if asked.about(m.host)]
    return Usage(
        since=when(span[0]).astimezone(zone),
        until=when(span[1]).astimezone(zone),
        zone=str(zone),
        rows=tuple(_rows(asked, parts, sums, known)),
        missing=tuple(known),
        as_of=asked.as_of,
    )


def since_marks(tx: Connection, question: Question, now: int) -> Usage:
    """Return what each key used since its last mark; keys that have none are left out."""
    last = {mark.key: mark for mark in marks_of(tx, question.keys)}
    asked = _Asked(tx, question)
    zone = ZoneInfo(question.zone or tx.execute(select(ledger.c.zone)).scalar_one())
    until = when(now).astimezone(zone)
    rows, found = [], set()
    for mark in last.values():
        opens = (question.opens or {}).get(mark.key)
        known = [
            one
            for one in missing(tx, moment(mark.counted_from), now, now, question.spliced)
            if opens is None or one.host in opens
        ]
        found |= set(known)
        begin = mark.counted_from.astimezone(zone)
        sure = certainty(known, begin, until, alone=False)
        row = UsageRow(key=mark.key, since=begin, until=until, traffic=mark.after, certainty=sure)
        rows.append(row)
    return Usage(
        since=min((row.since for row in rows), default=until),
        until=until,
        zone=str(zone),
        rows=tuple(rows),
        missing=tuple(sorted(found, key=lambda one: (one.host, one.since))),
        as_of=asked.as_of,
    )


class _Asked:
    """A question in the tables' numbers."""

    def __init__(self, tx: Connection, question: Question) -> None:
        self._tx = tx
        self.question = question
        self.hosts = {row.id: row for row in tx.execute(select(hosts)) if self.about(row.name)}
        self.names = {id_: row.name for id_, row in self.hosts.items()}
        self.seen: dict[str, set[str]] = {}
        """Where each key was used."""
        wanted = question.keys
        rows = tx.execute(select(keys))
        self.keys = {row.id: row for row in rows if wanted is None or row.name in wanted}
        last = [row.read for row in self.hosts.values() if row.read and row.gone is None]
        self.as_of = when(min(last)) if last else None

    def about(self, host: str) -> bool:
        """Say whether *host* is asked for."""
        return self.question.hosts is None or host in self.question.hosts

    def sums(self, piece: Piece) -> Iterator[tuple[int, int, Traffic]]:
        """Yield what the buckets of *piece* hold, by key and host as far as is asked."""
        table = piece.table
        amounts = func.sum(table.c.up), func.sum(table.c.down)
        asked = set(self.question.by)
        if "key" in asked and self.question.opens is not None:
            asked.add("host")  # how sure a key's figure is depends on where it was used
        by = [table.c[f"{name}_id"] for name in ("key", "host") if name in asked]
        query: Select[*tuple[int, ...]] = select(*by, *amounts).group_by(*by)
        query = query.where(table.c.t >= piece.since, table.c.t < piece.until)
        if self.question.keys is not None:
            query = query.where(table.c.key_id.in_(list(self.keys)))
        if self.question.hosts is not None:
            query = query.where(table.c.host_id.in_(list(self.hosts)))
        for *ids, up, down in self._tx.execute(query):
            if up is not None:
                key = ids[0] if "key" in asked else 0
                host = ids[-1] if "host" in asked else 0
                if key and host:
                    self.seen.setdefault(self.keys[key].name, set()).add(self.names[host])
                yield key, host if "host" in self.question.by else 0, Traffic(int(up), int(down))


def _rows(
    asked: _Asked, parts: Sequence[Span], sums: Mapping[Place, Traffic], known: list[Missing]
) -> Iterator[UsageRow]:
    sure = _Sureness(asked, parts, known)
    there: set[str] = set()
    for (index, key_id, host_id), traffic in sums.items():
        key, host = asked.keys.get(key_id), asked.hosts.get(host_id)
        name, life = (key.name, key.life) if key else ("", 1)
        if key and key.gone is None:
            there.add(name)
        yield UsageRow(
            key=name,
            life=life,
            gone=when(key.gone) if key and key.gone else None,
            host=host.name if host else "",
            since=parts[index].begin,
            until=parts[index].end,
            traffic=traffic,
            certainty=sure.of(index, name, host.name if host else ""),
        )
    yield from _unused(asked, parts, there, sure)


def _unused(
    asked: _Asked, parts: Sequence[Span], there: set[str], sure: "_Sureness"
) -> Iterator[UsageRow]:
    """Yield a row for each key of the inventory that used nothing: 0 is an answer, too."""
    question = asked.question
    if set(question.by) != {"key"}:
        return
    for name in question.opens or ():
        if name not in there and (question.keys is None or name in question.keys):
            yield UsageRow(
                key=name,
                since=parts[0].begin,
                until=parts[0].end,
                traffic=Traffic(),
                certainty=sure.of(0, name, ""),
            )


class _Sureness:
    """How sure each row is; rows of the same span and hosts are equally so."""

    def __init__(self, asked: _Asked, parts: Sequence[Span], known: list[Missing]) -> None:
        self._opens = asked.question.opens or {}
        self._seen = asked.seen
        self._parts = parts
        self._known = known
        self._found: dict[tuple[int, str, frozenset[str] | None], Certainty] = {}

    def of(self, index: int, key: str, host: str) -> Certainty:
        """Return how sure the row of *key* on *host*, either perhaps empty, is."""
        opens = None
        if not host and key in self._opens:
            opens = frozenset(self._opens[key]) | self._seen.get(key, set())
        place = index, host, opens
        if place not in self._found:
            about = [m for m in self._known if self._concerns(m, host, opens)]
            part = self._parts[index]
            self._found[place] = certainty(about, part.begin, part.end, alone=bool(host))
        return self._found[place]

    @staticmethod
    def _concerns(missing: Missing, host: str, opens: frozenset[str] | None) -> bool:
        if host:
            return missing.host == host
        return opens is None or missing.host in opens
