"""Book what was observed: under lock, baseline and usage at once, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from ops.ledger import nic, runs
from ops.ledger.calendar import moment
from ops.ledger.marks import before_marks
from ops.ledger.names import Lives, locked_hosts, user_ids
from ops.ledger.records import Adopt, Booked, HostRow, RunRow
from ops.ledger.rows import Rows
from ops.ledger.schema import gaps, hosts, ledger, marks
from ops.ledger.sightings import Found, Sighting, adopted, look, refusal
from ops.model import Observation, Traffic
from ops.model.key import key_of

LATE = 15 * 60_000
"""Milliseconds without a reading after which nobody can say when within them bytes moved."""
_HELD_UP = 2 * 60_000
"""Milliseconds that an answer may wait for its booking."""
_STRAGGLES = 2 * 60_000
"""Milliseconds after the end of a run in which its host may still be writing a reading of it."""


@dataclass
class _Visit:
    """One observation on its way into the ledger."""

    observation: Observation
    host: HostRow
    found: Found
    running: list[RunRow]
    """The runs that had not ended when the host was last visited."""
    reason: str = ""
    added: Traffic = field(default_factory=Traffic)
    resets: list[str] = field(default_factory=list)
    unread: timedelta | None = None
    alive: Sighting | None = None

    @property
    def runs(self) -> list[RunRow]:
        """Return the runs that this visit may change."""
        runs = [sighting.run for sighting in self.found.sightings]
        return runs + [run for run in self.running if not any(run is other for other in runs)]


def book(
    tx: Connection, observations: Sequence[Observation], adopt: Adopt | None, now: int
) -> list[Booked]:
    """Book *observations*, each of another host, at the collector's time *now*."""
    refused = {o.host: reason for o in observations if (reason := refusal(o))}
    wanted = [o for o in observations if o.host not in refused]
    frame = tx.execute(select(ledger).with_for_update(read=True)).one()
    # If the clock here was set back, time stands still until it has caught up with the ledger.
    now = max(now, tx.execute(select(func.max(hosts.c.read))).scalar() or now)
    visits = _look(tx, wanted, locked_hosts(tx, [o.host for o in wanted], now), adopt, now)
    marked = tx.execute(select(func.max(marks.c.at))).scalar() or 0
    rows = Rows(ZoneInfo(frame.zone), frame.rolled, frame.fives_from, frame.hours_from, marked)
    _book_visits(tx, visits, rows, now)
    rows.write(tx)
    booked = {visit.host.name: _answer(visit) for visit in visits}
    for host, reason in refused.items():
        booked[host] = Booked(host=host, outcome="refused", reason=reason)
    return [booked[o.host] for o in observations]


def _look(
    tx: Connection,
    wanted: Sequence[Observation],
    rows_of: dict[str, HostRow],
    adopt: Adopt | None,
    now: int,
) -> list[_Visit]:
    observed = {rows_of[o.host].id: o for o in wanted}
    known = runs.known(tx, observed)
    elsewhere = runs.elsewhere(tx, observed, known)
    visits = []
    for observation in wanted:
        host = rows_of[observation.host]
        found = look(observation, host, known[host.id], elsewhere, now)
        running = [run for run in known[host.id].values() if run.ended is None]
        visit = _Visit(observation, host, found, running)
        _decide(visit, adopt, elsewhere, now)
        visits.append(visit)
    return visits


def _decide(visit: _Visit, adopt: Adopt | None, elsewhere: dict[str, str], now: int) -> None:
    """Take in what is older than the ledger's knowledge of the host, or leave it out aloud."""
    found, host = visit.found, visit.host
    if not found.strangers:
        return
    if adopt:
        found.sightings += adopted(found.strangers, adopt, elsewhere, now)
        host.adopted = adopt
    else:
        visit.reason = _needs_adoption(found.strangers, elsewhere)
        if host.run_id is None:
            found.sightings.clear()  # never booked before: all of it waits for the answer


def _needs_adoption(strangers: Sequence[Sighting], elsewhere: dict[str, str]) -> str:
    renamed = sorted({elsewhere[s.run.identity] for s in strangers if s.run.identity in elsewhere})
    if renamed:
        return (
            f"its run is booked as {renamed[0]}: the same server under two names, or renamed? "
            "--adopt baseline goes on from here"
        )
    return (
        "its counters are older than the ledger's knowledge of it: --adopt count bills them, "
        "--adopt baseline leaves them out"
    )


def _book_visits(tx: Connection, visits: Sequence[_Visit], rows: Rows, now: int) -> None:
    sightings = [sighting for visit in visits for sighting in visit.found.sightings]
    for visit in visits:
        _follow(visit, rows)
    known = [s.run.id for s in sightings if s.run.id]
    runs.begin(tx, [s.run for s in sightings if not s.run.id])
    rows.highs = runs.highs(tx, known)
    names = {name for sighting in sightings for name in sighting.users if key_of(name)}
    rows.users = user_ids(tx, names)
    rows.lives = Lives(tx)
    rows.lives.ensure(names, now)
    for visit in visits:
        for sighting in visit.found.sightings:
            added, fallen = rows.take(sighting)
            visit.added += added
            visit.resets += fallen
        _remember(visit)
    runs.save(tx, [run for visit in visits for run in visit.runs])
    runs.save_hosts(tx, [visit.host for visit in visits])
    if rows.gaps:
        tx.execute(insert(gaps), rows.gaps)
    before_marks(tx, rows.late)
    nic.book(tx, rows, [(v.host, v.observation.nic) for v in visits if v.observation.nic], now)


def _follow(visit: _Visit, rows: Rows) -> None:
    """Note what ended, and what nobody knows the time of, before anything is added."""
    host, found = visit.host, visit.found
    for sighting in found.sightings:
        if not sighting.counted:
            rows.gap(host, "uncounted", sighting.run.since, sighting.at)
        elif sighting in found.strangers:
            rows.gap(host, "unread", sighting.run.since, sighting.at)
    for run in visit.runs:
        run.stopped = run.stopped or run.identity in visit.observation.stopped
    visit.alive = _alive(visit)
    _end(visit)
    if visit.alive and host.read is not None and visit.alive.at - host.read > LATE:
        rows.gap(host, "unread", host.read, visit.alive.at)
        visit.unread = timedelta(milliseconds=visit.alive.at - host.read)


def _alive(visit: _Visit) -> Sighting | None:
    """Return the sighting of the run that lives now, unless its answer was overtaken by another.

    A collector that was held up may book an old answer late. One much older than the last is
    a clock that was set back.
    """
    live = next((sighting for sighting in visit.found.sightings if sighting.live), None)
    if live is None or live.live is None or live.run.id == visit.host.run_id != 0:
        return live
    behind = (visit.host.read or 0) - moment(live.live.read_at)
    return live if behind < 0 or behind > _HELD_UP else None


def _end(visit: _Visit) -> None:
    """Say of every run that is over when it was so at the latest: when the next one began."""
    alive = visit.alive.run if visit.alive else None
    if alive is None:
        return
    alive.ended = None
    over = sorted((run for run in visit.runs if run is not alive), key=lambda run: run.since)
    for run, following in pairwise([*over, alive]):
        if run.ended is None:
            run.ended = max(following.since, run.read)


def _remember(visit: _Visit) -> None:
    host = visit.host
    for sighting in visit.found.sightings:
        sighting.run.read = max(sighting.run.read, sighting.at)
        if sighting.run.ended is not None:
            sighting.run.ended = max(sighting.run.ended, sighting.run.read)
    _close(visit)
    if visit.alive:
        host.run_id, host.read = visit.alive.run.id, visit.alive.at
    listed = visit.observation.listed or visit.observation.kept
    if listed and host.run_id is not None and not visit.reason:
        host.listed = True


def _close(visit: _Visit) -> None:
    """Note of which runs there is nothing more to come, so that nobody fetches them again.

    After the reading at its stop there is none. After a crash there is none either, once all
    that the host keeps was read while the next run was well under way.
    """
    seen, alive = visit.observation, visit.alive
    whole = seen.listed and alive and alive.at - alive.run.since > _STRAGGLES
    kept = {reading.run for reading in seen.kept} if whole else set()
    for run in visit.runs:
        run.closed = run.ended is not None and (run.closed or run.stopped or run.identity in kept)


def _answer(visit: _Visit) -> Booked:
    return Booked(
        host=visit.host.name,
        outcome="needs adoption" if visit.reason else "booked",
        traffic=visit.added,
        reason=visit.reason,
        resets=tuple(visit.resets),
        unread=visit.unread,
    )
