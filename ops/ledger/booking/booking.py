"""Book observations: under lock, baseline and usage at once, in one transaction.

A run that was read under two host names (a renamed host, one server under two names) has a row for
each name. Only bytes above the highest value that any name has shown are new. They are usage of
the name under which they were read; the rest of that row's counters is its baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select, text, update

from ops.ledger.answers import nic
from ops.ledger.answers.marks import before_marks
from ops.ledger.booking import doubts, runs
from ops.ledger.booking.access import include
from ops.ledger.booking.entries import Entries, TooMuchError, highest
from ops.ledger.booking.history import follow, remember
from ops.ledger.booking.sightings import Sighting, look, lost, same_machine, sound
from ops.ledger.database.ids import Lives, locked_hosts, user_ids
from ops.ledger.database.rows import Adopt, HostRow, RunRow
from ops.ledger.database.schema import gaps, hosts, ledger, marks
from ops.model import UNKNOWN_MACHINE, Booked, Observation, Traffic
from ops.model.key import key_of

_NEW_RUNS = 0x6F707333
"""PostgreSQL's advisory lock: two host names of one machine book a new run one after the other."""


_FRAME = select(ledger).with_for_update(read=True)
_LATEST = select(
    select(func.max(hosts.c.read)).scalar_subquery(),
    select(func.max(marks.c.at)).scalar_subquery(),
)


@dataclass
class Visit:
    """One observation on its way into the ledger."""

    observation: Observation
    host: HostRow
    sightings: list[Sighting]
    open: list[RunRow]
    """The runs without an end at the last visit, and runs in doubt."""
    others: list[RunRow]
    """The rows of its runs under other host names."""
    problems: list[str]
    began: bool
    """Whether a run is new to the ledger under this host name."""
    same: bool | None
    """Whether the machine is the same as before; None: unknown."""
    added: Traffic = field(default_factory=Traffic)
    moved: set[str] = field(default_factory=set)
    resets: list[str] = field(default_factory=list)
    unread: timedelta | None = None
    alive: Sighting | None = None
    """The sighting of the running core."""
    newest: Sighting | None = None
    """The same; if the core is silent, the run on disk that began last."""

    @property
    def runs(self) -> list[RunRow]:
        """Return the rows that this visit may change."""
        runs = [sighting.run for sighting in self.sightings]
        return runs + [run for run in self.open if not any(run is other for other in runs)]

    @property
    def seen_runs(self) -> set[str]:
        """Return the identities of the runs in the observation."""
        return {reading.run for reading in self.observation.readings}


def book(
    tx: Connection, observations: Sequence[Observation], adopt: Adopt | None, now: int
) -> list[Booked]:
    """Book *observations*, each of another host, at the collector's time *now*."""
    frame = tx.execute(_FRAME).one()
    latest, marked = tx.execute(_LATEST).one()
    # After this machine's clock was set back, bookings stay at the newest booked moment.
    now = max(now, latest or now)
    visits = _look(tx, observations, frame, now)
    entries = Entries(
        ZoneInfo(frame.zone), frame.rolled, frame.fives_from, frame.hours_from, marked or 0
    )
    _book_visits(tx, visits, entries, adopt, now)
    return [_answer(visit) for visit in visits]


def _look(tx: Connection, observations: Sequence[Observation], frame: Any, now: int) -> list[Visit]:
    host_rows = locked_hosts(tx, [o.host for o in observations], frame, now)
    parts = [sound(observation) for observation in observations]
    observed = {host_rows[o.host].id: o for o, _ in parts}
    known = _known(tx, observed)
    visits = []
    for observation, problems in parts:
        host = host_rows[observation.host]
        own = known.own[host.id]
        elsewhere = known.elsewhere(host.id, observation)
        unfinished = [run for run in own.values() if run.ended is None or run.doubt]
        found = look(observation, host, own, elsewhere, frame.created, now)
        found += lost(observation, host, own, now)
        others = [row for s in found for row in known.others(host.id, s.run.identity)]
        began = any(not sighting.run.id for sighting in found)
        same = same_machine(observation, host, own)
        visits.append(Visit(observation, host, found, unfinished, others, problems, began, same))
    return visits


def _known(tx: Connection, observed: dict[int, Observation]) -> runs.Known:
    """Return the known runs. If some runs are new, lock out other bookings of new runs."""
    known = runs.known(tx, observed)
    if tx.dialect.name != "postgresql":
        return known  # SQLite has one writer at a time
    strangers = {row.host_id for rows in known.rows.values() for row in rows} - observed.keys()
    if strangers:
        tx.execute(select(hosts.c.id).where(hosts.c.id.in_(strangers)).with_for_update())
    elif all(r.run in known.own[host] for host, o in observed.items() for r in o.readings):
        return known
    tx.execute(text(f"SELECT pg_advisory_xact_lock({_NEW_RUNS})"))
    return runs.known(tx, observed)


def _book_visits(
    tx: Connection, visits: Sequence[Visit], entries: Entries, adopt: Adopt | None, now: int
) -> None:
    for visit in visits:
        follow(visit, now)
    sightings = [sighting for visit in visits for sighting in visit.sightings]
    _prepare(tx, visits, sightings, entries, now)
    for visit in visits:
        decide_on(tx, visit, adopt or visit.host.decision, entries)
        _take(visit, entries)
        remember(visit, entries, now)
    _save(tx, visits, entries, now)


def decide_on(tx: Connection, visit: Visit, how: str, entries: Entries) -> None:
    """Count bytes that no longer wait, and apply the adoption *how* (may be empty)."""
    new = [sighting.run for sighting in visit.sightings if not sighting.counted and sighting.used]
    if new or any(sighting.counted for sighting in visit.sightings):
        visit.host.decision = ""  # it was about the first reading
    cleared = [run for run in visit.runs if run.waits is not None and not run.doubt]
    asked = [r for r in visit.runs if r.asks or (r.doubt == "asked" and r in new)] if how else []
    for run in asked:
        run.doubt, visit.host.adopted = "", how
    for run in cleared:
        visit.added += doubts.settle(tx, visit.host, run, "count", entries)
    for run in asked:
        if run.waits is not None:
            visit.added += doubts.settle(tx, visit.host, run, how, entries)
    for sighting in visit.sightings:
        if not sighting.counted and sighting.run in asked:
            sighting.counted = how == "count"
            if not sighting.counted:
                entries.gap(visit.host, "uncounted", sighting.run.since, sighting.at)


def _prepare(
    tx: Connection,
    visits: Sequence[Visit],
    sightings: Sequence[Sighting],
    entries: Entries,
    now: int,
) -> None:
    """Set the numbers of runs and users, and read their highest values so far."""
    old = [s.run.id for s in sightings if s.run.id]
    runs.begin(tx, [s.run for s in sightings if not s.run.id])
    others = {row.id: row for visit in visits for row in visit.others}
    found = runs.highs(tx, [*old, *others])
    entries.highs = {run: found[run] for run in old}
    for visit in visits:
        for run in (sighting.run for sighting in visit.sightings):
            same = [found[row.id] for row in visit.others if row.identity == run.identity]
            if same:
                entries.above[run.id] = highest(same)
    names = {name for sighting in sightings for name in sighting.users if key_of(name)}
    entries.users = user_ids(tx, names)
    entries.lives = Lives(tx)
    entries.lives.ensure(names, now)


def _take(visit: Visit, entries: Entries) -> None:
    try:
        for sighting in visit.sightings:
            taken = entries.take(sighting, visit.host)
            visit.added += taken.added
            visit.moved |= taken.moved
            visit.resets += taken.fallen
    except TooMuchError:
        visit.problems.append("it says that it moved more than any host can: not counted")
        entries.gap(visit.host, "refused", visit.host.read or visit.host.known, sighting.at)


def _save(tx: Connection, visits: Sequence[Visit], entries: Entries, now: int) -> None:
    entries.write(tx)
    include(tx, entries.counted)
    runs.save(tx, [run for visit in visits for run in visit.runs])
    runs.save_hosts(tx, [visit.host for visit in visits])
    if entries.gaps:
        tx.execute(insert(gaps), entries.gaps)
    before_marks(tx, entries.before_marks)
    _finish_renamed(tx, visits, now)
    nic.book(tx, entries, [(v.host, v.observation.nic) for v in visits if v.observation.nic], now)


def _finish_renamed(tx: Connection, visits: Sequence[Visit], now: int) -> None:
    """Finish old names of these machines: the new name fetches all their readings.

    Bytes that moved under the old name after its last reading are booked under the new one.
    """
    for visit in visits:
        if not visit.others:
            continue
        left = select(hosts).where(hosts.c.id.in_([row.host_id for row in visit.others]))
        left = left.where(hosts.c.gone.is_not(None), hosts.c.done.is_(None))
        left = left.where(hosts.c.machine.in_(["", UNKNOWN_MACHINE, visit.observation.machine]))
        if not visit.observation.listed:  # then only if nothing can have run in between
            alive = visit.alive.run.identity if visit.alive else ""
            same = [row.id for row in visit.others if row.identity == alive]
            left = left.where(hosts.c.run_id.in_(same))
        for old in tx.execute(left).all():
            since = old.known if old.read is None else old.read
            gap = {"host_id": old.id, "kind": "shared", "since": since, "until": old.gone}
            if old.gone > since:
                tx.execute(insert(gaps), [gap])
            tx.execute(update(hosts).where(hosts.c.id == old.id).values(done=now))


def _answer(visit: Visit) -> Booked:
    waits = any(run.asks for run in visit.runs)
    refused = visit.problems and not visit.sightings
    question = doubts.question(visit.host.name) if waits else ""
    return Booked(
        host=visit.host.name,
        outcome="refused" if refused else "needs adoption" if waits else "booked",
        traffic=visit.added,
        moved=frozenset(visit.moved),
        reason="; ".join(visit.problems) if refused else question,
        problems=tuple(visit.problems),
        resets=tuple(visit.resets),
        unread=visit.unread,
    )
