"""What is known to be missing, and what that makes of a figure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, exists, select

from ops.ledger.booking import LATE
from ops.ledger.calendar import when
from ops.ledger.schema import counters, gaps, hosts, runs
from ops.ledger.sightings import NAMELESS
from ops.model import Certainty

Kind = Literal[
    "stop", "crash", "unseen", "reset", "nameless", "unread", "uncounted", "behind", "never", "open"
]

STOP = 100
"""Milliseconds at most between the last reading of a planned stop and the core's end: 8 to 15
were measured at 300 MB/s, and a loaded host is slower. A host that drains first misses none."""
WORDS: dict[Kind, str] = {
    "stop": "planned stop: misses what passed in its last moments",
    "crash": "the core ended unplanned: misses what passed since its last reading",
    "unseen": "the core ended unplanned before a reading was written: misses all that it moved",
    "reset": "somebody else reset the core's counters: misses what they had not yet passed again",
    "nameless": "the core tells no run's identity: a quick restart cannot be told",
    "unread": "not read in between: what passed is booked at its end",
    "uncounted": "counted before the ledger knew the host: left out on request",
    "behind": "not read since",
    "never": "never read",
    "open": "spliced: open connections count when they close",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that figures of *host* between *since* and *until* may lack."""

    host: str
    kind: Kind
    since: datetime
    until: datetime
    run: str = ""

    @property
    def span(self) -> timedelta:
        """Return for how long at most nothing was counted, or nobody knows when."""
        return self.until - self.since

    def effect(self, since: datetime, until: datetime) -> Certainty:
        """Return how sure a figure of this host alone is for the time [since, until)."""
        if self.kind == "unread":
            if self.since < until < self.until:
                return "at least"
            return "unknown" if self.since < since < self.until else "exact"
        if not (self.since < until and self.until >= since):
            return "exact"
        none_read = self.kind == "never" or (self.kind == "behind" and self.since <= since)
        return "unknown" if none_read else "at least"


def certainty(
    known: Iterable[Missing], since: datetime, until: datetime, *, alone: bool
) -> Certainty:
    """Return how sure a figure is. *alone*: it is of one host; else others make it at least."""
    worst: Certainty = "exact"
    for missing in known:
        effect = missing.effect(since, until)
        if effect == "unknown" and (alone or missing.kind == "unread"):
            return "unknown"
        if effect != "exact":
            worst = "at least"
    return worst


def missing(
    tx: Connection, since: int, until: int, now: int, spliced: Collection[str] = ()
) -> list[Missing]:
    """Return what is known to be missing between two moments, by host and time.

    *spliced*: the hosts on which an open connection counts only when it closes.
    """
    found = [*_of_runs(tx, since, until, now), *_gaps(tx, since, until)]
    found += _unread(tx, since, until, now, spliced)
    return sorted(found, key=lambda one: (one.host, one.since, one.kind))


def _of_runs(tx: Connection, since: int, until: int, now: int) -> Iterator[Missing]:
    counted = exists().where(counters.c.run_id == runs.c.id).label("counted")
    query = select(runs, hosts.c.name, counted).join(hosts, hosts.c.id == runs.c.host_id)
    query = query.where(runs.c.first < until)
    # What ended before the ledger knew the host is its business only if it was told to bill it.
    ours = runs.c.ended.is_(None) | (runs.c.ended > hosts.c.known) | (hosts.c.adopted == "count")
    for run in tx.execute(query.where(ours)):
        for kind, begin, end in _ends(run, now):
            if begin < until and end >= since:
                yield Missing(
                    host=run.name, kind=kind, since=when(begin), until=when(end), run=run.identity
                )


def _ends(run: Row[tuple[object, ...]], now: int) -> Iterator[tuple[Kind, int, int]]:
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
    query = select(gaps, hosts.c.name).join(hosts)
    for gap in tx.execute(query.where(gaps.c.until >= since, gaps.c.since < until)):
        yield Missing(host=gap.name, kind=gap.kind, since=when(gap.since), until=when(gap.until))


def _unread(
    tx: Connection, since: int, until: int, now: int, spliced: Collection[str]
) -> Iterator[Missing]:
    for host in tx.execute(select(hosts)):
        last = host.known if host.read is None else host.read
        end = min(now, host.gone or now)
        if host.name in spliced and end > since and until > last:
            yield Missing(host=host.name, kind="open", since=when(last), until=when(max(last, end)))
        if end - last > LATE and last < until and end >= since:
            kind: Kind = "never" if host.read is None else "behind"
            yield Missing(host=host.name, kind=kind, since=when(last), until=when(end))
