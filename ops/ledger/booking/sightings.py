"""Decide which runs an observation shows, and whether they belong to the fleet. No database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ops.ledger.answers.calendar import moment
from ops.ledger.database.rows import HostRow, RunRow
from ops.model import UNKNOWN_MACHINE, Observation, Reading, Traffic

NAMELESS = "~"
"""Prefix of our identity for a run without one: figures of such runs are at least."""
_SLACK = 2_000
"""Milliseconds of error in the beginning of a nameless run, because its age is in seconds."""
KEPT = 90 * 86_400_000
"""Milliseconds that hosts keep readings on disk."""
LARGEST = 2**58
"""Most bytes of a counter: 100 Gbit/s for nine months."""
HELD_UP = 2 * 60_000
"""Most milliseconds between an answer and its booking."""
Doubt = Literal["", "look", "asked"]


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One run in an observation, with the highest values of its readings."""

    run: RunRow
    users: Mapping[str, Traffic]
    read: int
    """The moment of its newest reading, by the clock of the machine that read it."""
    since: int = 0
    """The moment after which its new bytes moved."""
    at: int = 0
    """The moment to which its new bytes are booked."""
    live: Reading | None = None
    """The answer of the running core, if it is of this run."""
    lost: bool = False
    """Whether only the existence of the run is known."""
    counted: bool = True
    """False if all its bytes so far wait for a decision."""

    @property
    def used(self) -> bool:
        """Return whether it has counted any byte."""
        return any(used.total for used in self.users.values())


def look(
    observation: Observation,
    host: HostRow,
    runs: Mapping[str, RunRow],
    elsewhere: Mapping[str, RunRow],
    created: int,
    now: int,
) -> list[Sighting]:
    """Return the runs in *observation*; a new run may carry a doubt.

    *runs*: known runs of the host by identity; *elsewhere*: the same under other host names. No
    moment is before *created*, the ledger's beginning, or after *now*, the collector's time. A run
    in doubt without bytes stays in doubt, because its first bytes are in doubt, too.
    """
    same = same_machine(observation, host, runs)
    found = []
    for identity, readings in _by_run(observation, host, runs).items():
        live = next((r for r in readings if r is observation.now), None)
        read = min(max(moment(reading.read_at) for reading in readings), now)
        run = runs.get(identity) or _new_run(host, identity, readings, read)
        sighting = Sighting(run=run, users=_highest(readings), read=read, live=live)
        if other := elsewhere.get(identity):
            _take_over(sighting, other)
        else:
            run.doubt = _doubt(sighting, host, observation, same)
        sighting.since = max(sighting.since, run.read if run.id else run.since)
        if same and not run.id and not run.doubt and host.was_listed:
            # At that moment it was not on the disk, or had counted nothing.
            sighting.since = max(sighting.since, host.listed_at or host.known)
        # Bytes of a run in doubt wait, too, if they may have moved before the ledger knew the host.
        sure = run.waits is not None and run.read >= host.known
        sighting.counted = not run.doubt or sure
        old = run.doubt or (run.identity in observation.begun and run.since < host.known)
        earliest = max(created, now - KEPT) if old else host.known
        sighting.at = _booking_time(sighting, host, run.read if run.id else earliest, now)
        found.append(sighting)
    return found


def lost(
    observation: Observation, host: HostRow, runs: Mapping[str, RunRow], now: int
) -> list[Sighting]:
    """Return the runs with an unreadable file as their only trace."""
    readable = {reading.run for reading in observation.readings}
    since = host.earliest_run if host.read is None else host.read
    found = []
    for identity in sorted(observation.damaged - readable):
        if known := runs.get(identity):
            known.closed = known.ended is not None  # nothing is left to fetch
            continue
        run = RunRow(host_id=host.id, identity=identity, since=since, first=since, read=since)
        run.ended, run.closed = max(now, host.known + 1), True
        found.append(Sighting(run=run, users={}, read=since, since=since, at=since, lost=True))
    return found


def doubt_of(run: RunRow, observation: Observation, same: bool | None) -> Doubt:
    """Return the doubt about a known *run* that remains after *observation*."""
    if run.identity in observation.begun:
        return ""
    if run.doubt == "look" and observation.machine not in ("", UNKNOWN_MACHINE):
        return "" if same else "asked"
    return run.doubt


def same_machine(
    observation: Observation, host: HostRow, runs: Mapping[str, RunRow]
) -> bool | None:
    """Say whether the machine is the known one of the host's name; None: unknown."""
    first = host.run_id is None and not host.was_listed and not host.knows_machine
    if observation.machine == UNKNOWN_MACHINE:
        return True if first else None
    if host.knows_machine and observation.machine:
        return observation.machine == host.machine
    shown = {reading.run for reading in observation.readings}
    if any(run.identity in shown and not run.doubt for run in runs.values()):
        return True
    return True if first else None


def _take_over(sighting: Sighting, other: RunRow) -> None:
    """Continue the run from its row under another host name."""
    sighting.since = other.read
    sighting.run.settled = sighting.run.settled or other.settled
    if other.reset is not None and sighting.run.reset is None:
        sighting.run.reset = other.read  # bytes count only above the values before the reset


def sound(observation: Observation) -> tuple[Observation, list[str]]:
    """Return *observation* without readings that cannot be booked, and the reasons."""
    wrong = {id(r): reason for r in observation.readings if (reason := _fault(r, observation))}
    if not wrong:
        return observation, []
    now = None if id(observation.now) in wrong else observation.now
    kept = tuple(reading for reading in observation.on_disk if id(reading) not in wrong)
    return replace(observation, now=now, on_disk=kept), list(wrong.values())


def _fault(reading: Reading, observation: Observation) -> str:
    if reading.host != observation.host:
        return f"a reading of {reading.host} came with the visit of {observation.host}"
    for name, used in reading.users.items():
        if not (0 <= used.uplink <= LARGEST and 0 <= used.downlink <= LARGEST):
            return f"{name} has {used.uplink} up and {used.downlink} down: no counter says that"
    return ""


def _by_run(
    observation: Observation, host: HostRow, runs: Mapping[str, RunRow]
) -> dict[str, list[Reading]]:
    by_run: dict[str, list[Reading]] = {}
    for reading in observation.on_disk:
        if reading.run:
            by_run.setdefault(reading.run, []).append(reading)
    if observation.now:
        identity = observation.now.run or _nameless(observation.now, host, runs)
        by_run.setdefault(identity, []).append(observation.now)
    return by_run


def _nameless(reading: Reading, host: HostRow, runs: Mapping[str, RunRow]) -> str:
    """Return the run of a reading without identity: the last one, unless this one began later.

    It is the fallback for cores that cannot carry an identity. It depends on clocks and can miss a
    restart, so figures of such runs are at least.
    """
    last = next((run for run in runs.values() if run.id == host.run_id), None)
    since = moment(reading.counting_since)
    if last and last.identity.startswith(NAMELESS):
        began_later = since > last.since + _SLACK and since >= last.read - _SLACK
        return f"{NAMELESS}{since}" if began_later else last.identity
    return f"{NAMELESS}{since}"


def _new_run(host: HostRow, identity: str, readings: list[Reading], read: int) -> RunRow:
    since = min(moment(reading.counting_since) for reading in readings)
    return RunRow(host_id=host.id, identity=identity, since=min(since, read), first=read, read=read)


def _highest(readings: list[Reading]) -> Mapping[str, Traffic]:
    """Return the highest values by user and direction, because counters only grow."""
    if len(readings) == 1:
        return readings[0].users
    highest: dict[str, Traffic] = {}
    for reading in readings:
        for name, used in reading.users.items():
            old = highest.get(name, used)
            up, down = max(old.uplink, used.uplink), max(old.downlink, used.downlink)
            highest[name] = Traffic(up, down)
    return highest


def _doubt(sighting: Sighting, host: HostRow, observation: Observation, same: bool | None) -> Doubt:
    """Return the doubt whether bytes of a run belong to the fleet; empty: they do.

    ``asked``: an operator must decide. ``look``: the readings on the host's disk will decide.
    """
    run = sighting.run
    if run.waits is None and sighting.live and not sighting.used:
        return ""
    if run.id:
        return doubt_of(run, observation, same) if run.doubt else ""
    if run.identity in observation.begun:
        return ""
    if run.identity in observation.older:
        return "asked"
    if same is None and observation.machine != UNKNOWN_MACHINE:
        return "" if _began_later(sighting, host) else "asked"
    if same is False or not _came_later(sighting, host):
        return "asked"
    return "look" if same is None else ""


def _came_later(sighting: Sighting, host: HostRow) -> bool:
    """Say whether a new run on a known machine began after the ledger knew the host."""
    if sighting.live and host.run_id is not None:
        return True  # another run was alive when the host was last read
    if host.was_listed:
        return True  # it was not on the disk then, whatever its clock says
    return sighting.run.since >= host.placed


def _began_later(sighting: Sighting, host: HostRow) -> bool:
    """Say by its clock whether a run began after the last reading of its host.

    This is for hosts without a known machine id, because it may be another machine.
    """
    latest = host.listed_at
    if sighting.live and host.run_id is not None and host.read is not None:
        held_up = moment(sighting.live.read_at) < host.read
        latest = None if held_up else host.read
    return sighting.run.since >= max(latest or 0, host.placed) - _SLACK


def _booking_time(sighting: Sighting, host: HostRow, earliest: int, now: int) -> int:
    """Return the best known moment of the new bytes; never before booked ones."""
    if sighting.live:
        return min(max(moment(sighting.live.read_at), host.read or host.known), now)
    return min(max(sighting.read, earliest), now)
