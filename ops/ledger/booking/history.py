"""The history of a host: its living run, the ends of its other runs, its machine."""

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from ops.ledger.answers.calendar import moment
from ops.ledger.booking.entries import SHARP, Entries
from ops.ledger.booking.sightings import HELD_UP, KEPT, Sighting, doubt_of
from ops.model import UNKNOWN_MACHINE

if TYPE_CHECKING:
    from ops.ledger.booking.booking import Visit

_STRAGGLES = 2 * 60_000
"""Milliseconds after the end of a run in which its host may still write a reading of it."""
_AT_ONCE = 60_000
"""Milliseconds: a first reading within this time after `enrol` leaves no gap before it."""


def follow(visit: "Visit", now: int) -> None:
    """Set the ends and doubts of runs, before any bytes are added."""
    host, observation = visit.host, visit.observation
    for run in visit.runs:
        run.stopped = run.stopped or run.identity in observation.stopped
        if run.id and run.doubt and run.identity not in visit.seen_runs:
            run.doubt = doubt_of(run, observation, visit.same)
    visit.alive = _alive(visit)
    visit.newest = visit.alive or _newest_on_disk(visit)
    at = visit.alive.at if visit.alive else now
    _end(visit, at)
    if visit.alive and host.read is not None and visit.alive.at - host.read > SHARP:
        visit.unread = timedelta(milliseconds=visit.alive.at - host.read)


def _alive(visit: "Visit") -> Sighting | None:
    """Return the sighting of the living run, unless a newer answer was booked before this one.

    A collector that was held up may book an old answer late. One much older than the last is
    a clock that was set back.
    """
    live = next((sighting for sighting in visit.sightings if sighting.live), None)
    if live is None or live.live is None or live.run.id == visit.host.run_id != 0:
        return live
    behind = (visit.host.read or 0) - moment(live.live.read_at)
    return live if behind < 0 or behind > HELD_UP else None


def _end(visit: "Visit", at: int) -> None:
    """Set ``ended`` of finished runs: the latest possible moment, the begin of the next run."""
    newest = visit.newest
    if newest is not None:
        stopped = newest is not visit.alive and newest.run.stopped
        newest.run.ended = newest.read if stopped else None
        others = (run for run in visit.runs if run is not newest.run)
        over = sorted(others, key=lambda run: run.since)
        for run, following in pairwise([*over, newest.run]):
            if run.ended is None:
                run.ended = max(following.since, run.read)
    if visit.observation.retired and visit.observation.now is None:
        for run in visit.runs:
            run.ended = max(at, run.read) if run.ended is None else run.ended


def _newest_on_disk(visit: "Visit") -> Sighting | None:
    """Return the run on disk that began last, if the core is silent and the disk was read."""
    readable = [sighting for sighting in visit.sightings if not sighting.lost]
    if visit.observation.now is not None or not readable:
        return None
    newest = max(readable, key=lambda s: (s.run.since, s.run.id == 0))
    if _is_replaced(visit):
        return newest
    known = max((run.since for run in visit.open), default=0)
    return newest if newest.run.since >= known else None


def _is_replaced(visit: "Visit") -> bool:
    """Say whether another machine than before answers under the name."""
    machine = visit.observation.machine
    other = visit.host.knows_machine and visit.host.machine != machine
    return machine not in ("", UNKNOWN_MACHINE) and other


def remember(visit: "Visit", entries: Entries, now: int) -> None:
    """Set the host's columns after this visit: last reading, machine, disk, gaps."""
    host, observation = visit.host, visit.observation
    for sighting in visit.sightings:
        sighting.run.read = max(sighting.run.read, sighting.read)
        if sighting.run.ended is not None:
            sighting.run.ended = max(sighting.run.ended, sighting.run.read)
    _close(visit)
    before = host.read
    _move_on(visit, now)
    if before is None and host.read is not None:
        _doubt_before(visit, entries, host.read, now)
    _meet(visit, entries, host.known if before is None else before, now)
    if before is not None and visit.began:
        _miss_pruned(visit, entries, before, now)
    listed = observation.listed or (observation.on_disk and not host.machine)
    if listed and host.read is not None:
        host.listed, host.listed_at = True, max(host.listed_at or 0, host.read)
    elif visit.began and host.machine:
        host.listed = False  # readings of the run before are on the disk, not fetched yet


def _doubt_before(visit: "Visit", entries: Entries, read: int, now: int) -> None:
    """Add a gap before the first reading if another machine may have counted in that time."""
    host = visit.host
    if visit.others:  # the machine had another name before
        first, stayed = read, False
    else:
        first = min((sighting.run.since for sighting in visit.sightings), default=read)
        stayed = _stayed(visit, now)
    if first - host.known > _AT_ONCE and not stayed:
        entries.gap(host, "before", host.known, first)


def _stayed(visit: "Visit", now: int) -> bool:
    """Say whether the machine has been up since before the ledger knew its name and address.

    Then it was not put there in place of another one, and its disk holds all of its runs.
    """
    up, placed = visit.observation.up, visit.host.placed
    if up is None or not placed <= now < placed + KEPT:
        return False
    return now - up // timedelta(milliseconds=1) <= placed


def _move_on(visit: "Visit", now: int) -> None:
    """Set the host's last reading and its newest run."""
    host, observation = visit.host, visit.observation
    if visit.alive:
        host.run_id, host.read, host.done = visit.alive.run.id, visit.alive.at, None
    elif observation.now is None:
        if visit.newest:
            host.run_id, host.read = visit.newest.run.id, max(host.read or 0, visit.newest.read)
        if observation.retired and observation.listed:
            seen = now if observation.seen_at is None else min(now, moment(observation.seen_at))
            host.read, host.done = max(host.read or 0, seen), seen


def _meet(visit: "Visit", entries: Entries, read: int, now: int) -> None:
    """Set the host's machine; add a gap if it was replaced."""
    host, machine = visit.host, visit.observation.machine
    if machine in ("", UNKNOWN_MACHINE):
        host.machine = host.machine or machine
        return
    if _is_replaced(visit):
        entries.gap(host, "replaced", read, visit.alive.at if visit.alive else now)
        host.listed, host.listed_at = False, None
    host.machine = machine


def _miss_pruned(visit: "Visit", entries: Entries, read: int, now: int) -> None:
    """Add a gap for runs that ended over 90 days ago: hosts delete such readings."""
    first = min(sighting.run.since for sighting in visit.sightings)
    entries.gap(visit.host, "pruned", read, min(max(first, read), now - KEPT))


def _close(visit: "Visit") -> None:
    """Close runs without further readings, so that no collector fetches them again.

    After the reading at its stop there is none. After a crash there is none either, once all
    that the host keeps was read while the next run was well under way.
    """
    seen, alive = visit.observation, visit.alive
    whole = seen.listed and alive and alive.at - alive.run.since > _STRAGGLES
    kept = {reading.run for reading in seen.on_disk} if whole else set()
    for run in visit.runs:
        over = run.ended is not None and (run.closed or run.stopped or run.identity in kept)
        if over and run.waits is None:
            run.doubt = ""  # it never counted a byte
        run.closed = over and not run.doubt
