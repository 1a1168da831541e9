"""The known reasons why figures may lack bytes, and the certainty that follows from them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, exists, or_, select

from ops.ledger.answers.calendar import when
from ops.ledger.answers.expected import NOTHING, Expected, may_count
from ops.ledger.answers.known import SAME, Known
from ops.ledger.booking.entries import SHARP
from ops.ledger.booking.sightings import NAMELESS
from ops.ledger.database.schema import counters, gaps, hosts, late, runs
from ops.model import Certainty

Kind = Literal[
    "stop",
    "crash",
    "unseen",
    "reset",
    "nameless",
    "unread",
    "late",
    "uncounted",
    "behind",
    "never",
    "open",
    "waits",
    "disk",
    "before",
    "ruled",
    "replaced",
    "left",
    "refused",
    "shared",
    "pruned",
    "clock",
    "future",
    "past",
    "empty",
]

STOP = 100
"""Milliseconds at most between the last reading of a planned stop and the core's end: 8 to 15
were measured at 300 MB/s, and a loaded host is slower. A host that drains first misses none."""
WORDS: dict[Kind, str] = {
    "stop": "planned stop: bytes of its last moments are missing",
    "crash": "the core crashed: bytes that moved since its last reading are missing",
    "unseen": "the core crashed before its first reading: all bytes of that run are missing",
    "reset": "somebody else reset the counters: bytes are missing until they pass the old values",
    "nameless": "the core has no run identity: a quick restart cannot be noticed",
    "unread": "not read in between: bytes that moved in it were booked at its end",
    "late": "not read in between: bytes that were read at its end moved at some time in it",
    "uncounted": "counted before the ledger knew the host: left out by `--adopt baseline`",
    "behind": "not read since",
    "never": "never read",
    "open": "spliced: bytes of open connections are counted when those close",
    "waits": "counted before the ledger knew the host: waits for `ops collect --adopt`",
    "disk": "the readings on its disk were not fetched yet",
    "before": "not read in this time: another machine may have counted under this name",
    "ruled": "ruled out that another machine counted under this name",
    "replaced": "the machine was replaced: bytes that the old one counted last are missing",
    "left": "left the inventory before its last readings were fetched",
    "refused": "it said that it moved more than any host can: not counted",
    "shared": "another name of the same machine was read: its bytes stand there",
    "pruned": "not read for over 90 days: its disk may no longer hold readings of that time",
    "clock": "the clock was wrong: bytes were booked at a time that has not come yet",
    "future": "this time has not come yet",
    "past": "the ledger began later",
    "empty": "the ledger was told of no host",
}
_RUNS = select(
    runs,
    hosts.c.name,
    exists().where(counters.c.run_id == runs.c.id).label("counted"),
).join(hosts, hosts.c.id == runs.c.host_id)
# A run that ended before the ledger knew the machine matters if it counted, or is to be billed.
_OURS = (
    *(runs.c.ended.is_(None), runs.c.ended > hosts.c.known, hosts.c.adopted == "count"),
    *(runs.c.waits.is_not(None), exists().where(SAME)),
    exists().where(counters.c.run_id == runs.c.id),
)
_RUNS = _RUNS.where(runs.c.since < bindparam("until"), or_(*_OURS))
_GAPS = (
    select(gaps, hosts.c.name, hosts.c.ruled)
    .join(hosts)
    .where(gaps.c.until >= bindparam("begin"), gaps.c.since < bindparam("end"))
)
_LATE = (
    select(hosts.c.name, late.c.since, late.c.until)
    .distinct()
    .join(hosts, hosts.c.id == late.c.host_id)
    .where(late.c.until >= bindparam("begin"), late.c.since < bindparam("end"))
)
EVERY = ""
"""The host name of reasons that affect every host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A reason why figures of *host* between *since* and *until* may lack bytes."""

    host: str
    """``EVERY`` if the reason affects every host."""
    kind: Kind
    since: datetime
    until: datetime
    run: str = ""
    by: str = ""
    """The name of the person that ruled it out, with the moment; empty otherwise."""

    @property
    def span(self) -> timedelta:
        """Return the length of the time in which bytes may be missing or of unknown moment."""
        return self.until - self.since

    def effect(self, since: datetime, until: datetime) -> Certainty:
        """Return the certainty of a figure of this host alone for the time [since, until)."""
        if self.kind == "ruled":
            return "exact"
        if self.kind in ("unread", "late"):
            return self._effect_of_lateness(since, until)
        if self.kind == "clock":
            return "at least" if until < self.until else "exact"
        if self.kind in ("future", "past"):
            return "unknown" if self.since <= since and until <= self.until else "exact"
        if not (self.since < until and self.until >= since):
            return "exact"
        none_read = self.kind in ("never", "empty")
        none_read |= self.kind in ("behind", "left") and self.since <= since
        return "unknown" if none_read else "at least"

    def _effect_of_lateness(self, since: datetime, until: datetime) -> Certainty:
        """A span that ends within the time lacks late bytes, or (``unread``) has too many."""
        if self.since < since <= self.until:
            return "unknown" if self.kind == "unread" else "at least"
        return "at least" if self.since < until <= self.until else "exact"


def certainty(
    known: Iterable[Missing], since: datetime, until: datetime, concerned: Collection[str]
) -> Certainty:
    """Return the certainty of a figure that depends on the hosts *concerned*.

    It is unknown only if nothing is known of any of them, *at least* if one of them is not exact.
    """
    unknown: set[str] = set()
    worst: Certainty = "exact"
    for missing in known:
        effect = missing.effect(since, until)
        if effect == "unknown":
            unknown.add(missing.host)
        if effect != "exact":
            worst = "at least"
    nothing = EVERY in unknown or (unknown and unknown.issuperset(concerned))
    return "unknown" if nothing else worst


def missing(
    tx: Connection,
    known: Known,
    since: int,
    until: int,
    now: int,
    inventory: Expected = NOTHING,
    *,
    with_late: bool = True,
) -> list[Missing]:
    """Return the known reasons between two moments, sorted by host and time."""
    found = [*_of_runs(tx, since, until, now), *_gaps(tx, since, until)]
    found += _late(tx, since, until) if with_late else ()
    # After this machine's clock was set back, now is the newest known moment.
    latest = max([now, *(moment or 0 for host in known.hosts for moment in (host.read, host.gone))])
    found += _shared(known.twice, since, until)
    found += _of_hosts(known.hosts, since, until, latest, inventory)
    found += _of_ledger(known, since, until, now, {*inventory.fleet, *inventory.absent})
    return sorted(found, key=lambda one: (one.host, one.since, one.kind))


def _one(host: str, kind: Kind, since: int, until: int, run: str = "") -> Missing:
    return Missing(host=host, kind=kind, since=when(since), until=when(until), run=run)


def _of_runs(tx: Connection, since: int, until: int, now: int) -> Iterator[Missing]:
    for run in tx.execute(_RUNS, {"until": until}):
        for kind, begin, end in _ends(run, now):
            if begin < until and end >= since:
                yield _one(run.name, kind, begin, end, run.identity)


def _ends(run: Row[tuple[object, ...]], now: int) -> Iterator[tuple[Kind, int, int]]:
    if run.waits is not None:
        yield "waits", run.since, run.waits
    if run.ended is not None and run.stopped:
        yield "stop", run.read, run.read + STOP
    elif run.ended is not None:
        seen = run.counted or run.read > run.since
        yield "crash" if seen else "unseen", run.read, run.ended
    if run.reset is not None:
        yield "reset", run.reset, run.ended or now
    if run.identity.startswith(NAMELESS):
        yield "nameless", run.since, run.ended or now


def _gaps(tx: Connection, since: int, until: int) -> Iterator[Missing]:
    for gap in tx.execute(_GAPS, {"begin": since, "end": until}):
        one = _one(gap.name, gap.kind, gap.since, gap.until)
        yield replace(one, by=gap.ruled) if gap.kind == "ruled" else one


def _late(tx: Connection, since: int, until: int) -> Iterator[Missing]:
    """Yield the times in which late bytes moved."""
    for row in tx.execute(_LATE, {"begin": since, "end": until}):
        yield _one(row.name, "late", row.since, row.until)


def _shared(twice: Sequence[Row[Any]], since: int, until: int) -> Iterator[Missing]:
    """Yield for each name the times in which the same run was read under another name."""
    for run in twice:
        together = run.left is None or run.left > run.first
        begin = run.read if run.begun > run.read and not together else run.since
        end = max(run.last, run.read) if together else run.last
        if end >= run.first and begin < until and end >= since:
            yield _one(run.name, "shared", begin, end, run.identity)


def _of_hosts(
    known: Iterable[Any], since: int, until: int, now: int, inventory: Expected
) -> Iterator[Missing]:
    for host in known:
        back = inventory.names(host)
        last = min(host.known, host.earliest or now) if host.read is None else host.read
        end = now if back else min(now, host.gone or now)
        if host.name in inventory.spliced and end > since and until > last:
            yield _one(host.name, "open", last, max(last, end))
        if host.machine and not host.listed and host.read is not None:
            first = min(host.known, host.earliest or host.known)
            disk = _one(host.name, "disk", host.listed_at or first, last)
            yield from _within(disk, since, until)
        if (back or may_count(host) or host.done is None) and (kind := _unread(host, last, end)):
            yield from _within(_one(host.name, kind, last, end), since, until)


def _unread(host: Any, last: int, end: int) -> Kind | None:
    """Return the reason why a host was not read until *end*; None if it was."""
    if host.read is None:
        return "never"
    if host.gone is not None and end == host.gone:
        return "left" if end > last else None
    return "behind" if end - last > SHARP else None


def _within(one: Missing, since: int, until: int) -> Iterator[Missing]:
    if one.since < when(until) and one.until >= when(since):
        yield one


def _of_ledger(
    known: Known, since: int, until: int, now: int, fleet: Collection[str]
) -> Iterator[Missing]:
    frame = known.frame
    latest = max((host.read or 0 for host in known.hosts), default=0)
    if since >= now:
        yield _one(EVERY, "future", now, max(until, now))
    if until <= frame.created:
        yield _one(EVERY, "past", min(since, frame.created), frame.created)
    if latest > now + SHARP:
        yield _one(EVERY, "clock", now, latest)
    if not known.hosts and not fleet:
        yield _one(EVERY, "empty", min(since, frame.created), now)
    for name in sorted(set(fleet) - {host.name for host in known.hosts}):
        yield _one(name, "never", min(frame.told or frame.created, now), now)
