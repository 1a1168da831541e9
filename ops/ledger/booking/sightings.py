"""Decide what an observation shows: which runs, and whether they are the fleet's. No database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ops.ledger.answers.calendar import moment
from ops.ledger.database.rows import HostRow, RunRow
from ops.model import UNKNOWN_MACHINE, Observation, Reading, Traffic

NAMELESS = "~"
"""Begins the identity that we give to a run whose core has none: figures of it are at least."""
_SLACK = 2_000
"""Milliseconds by which the beginning of a nameless run may be off: ages come in seconds."""
KEPT = 90 * 86_400_000
"""Milliseconds that hosts keep readings: nothing can be found that is older."""
LARGEST = 2**58
"""Bytes that a counter can hold: 100 Gbit/s for nine months."""
Doubt = Literal["", "look", "asked"]


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One run in an observation: the highest of what its readings say."""

    run: RunRow
    users: Mapping[str, Traffic]
    read: int
    """When it was last read, by the clock of the machine that read it."""
    since: int = 0
    """The moment after which all that is new in it moved."""
    at: int = 0
    """The moment to which what is new in it is booked."""
    live: Reading | None = None
    """The running core's own answer, if it is this run's."""
    lost: bool = False
    """Whether nothing is known of it but that it ran."""
    counted: bool = True
    """False where all that it has counted so far waits for a decision."""

    @property
    def used(self) -> bool:
        """Return whether it has counted anything."""
        return any(used.total for used in self.users.values())


def look(
    observation: Observation,
    host: HostRow,
    runs: Mapping[str, RunRow],
    elsewhere: Mapping[str, RunRow],
    created: int,
    now: int,
) -> list[Sighting]:
    """Sort out the readings of *observation*; a run that nothing is known of may carry a doubt.

    *runs* are those known of the host, *elsewhere* those known under other names, by identity.
    No moment is put before the ledger was *created*, nor after *now*, the collector's time. A run
    in doubt that has counted nothing yet stays so: what it counts first is in doubt, too.
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
            # It was not on the disk then, or had counted nothing.
            sighting.since = max(sighting.since, host.listed_at or host.known)
        sighting.counted = run.waits is not None or not run.doubt
        old = run.doubt or (run.identity in observation.begun and run.since < host.known)
        earliest = max(created, now - KEPT) if old else host.known
        sighting.at = _booking_time(sighting, host, run.read if run.id else earliest, now)
        found.append(sighting)
    return found


def lost(
    observation: Observation, host: HostRow, runs: Mapping[str, RunRow], now: int
) -> list[Sighting]:
    """Return the runs of which nothing is left but a file that cannot be read."""
    readable = {reading.run for reading in observation.readings}
    since = min(host.known, host.earliest or host.known) if host.read is None else host.read
    found = []
    for identity in sorted(observation.damaged - readable):
        if known := runs.get(identity):
            known.closed = known.ended is not None  # there is nothing more to fetch
            continue
        run = RunRow(host_id=host.id, identity=identity, since=since, first=since, read=since)
        run.ended, run.closed = max(now, host.known + 1), True
        found.append(Sighting(run=run, users={}, read=since, since=since, at=since, lost=True))
    return found


def doubt_of(run: RunRow, observation: Observation, same: bool | None) -> Doubt:
    """Return what is left of the doubt about *run*, known before, after *observation*."""
    if run.identity in observation.begun:
        return ""
    if run.doubt == "look" and observation.machine not in ("", UNKNOWN_MACHINE):
        return "" if same else "asked"
    return run.doubt


def same_machine(
    observation: Observation, host: HostRow, runs: Mapping[str, RunRow]
) -> bool | None:
    """Say whether this is the machine that was known under the host's name; None: unknown."""
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
    """Go on where another name of the same machine has left off."""
    sighting.since = other.read
    sighting.run.settled = sighting.run.settled or other.settled
    if other.reset is not None and sighting.run.reset is None:
        sighting.run.reset = other.read  # bytes count only above the values before the reset


def sound(observation: Observation) -> tuple[Observation, list[str]]:
    """Return *observation* without readings that cannot be booked, and why each cannot."""
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
    """Return which run a reading without identity is of: the last one, unless it began since.

    The fallback for cores that cannot carry an identity. It cannot see a restart whose clock
    says otherwise, so figures of such runs are at least; a fall of a counter is seen later.
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
    """Return per user and direction the highest: counters only grow, whoever wrote them down."""
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
    """Say why a run may have counted bytes that are not the fleet's; empty if it has not.

    ``asked``: somebody must decide. ``look``: the host's disk, once it is read, will tell.
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
    """Say whether a run that is new on a known machine began after the ledger knew the host."""
    if sighting.live and host.run_id is not None:
        return True  # another run was alive when the host was last read
    if host.was_listed:
        return True  # it was not on the disk then, whatever its clock says
    return sighting.run.since >= host.placed


def _began_later(sighting: Sighting, host: HostRow) -> bool:
    """Say, by its clock, whether a run began after all that is known of its host.

    For hosts whose machine was never told: it may be another one under the same name.
    """
    latest = host.listed_at
    if sighting.live and host.run_id is not None and host.read is not None:
        held_up = moment(sighting.live.read_at) < host.read
        latest = None if held_up else host.read
    return sighting.run.since >= max(latest or 0, host.placed) - _SLACK


def _booking_time(sighting: Sighting, host: HostRow, earliest: int, now: int) -> int:
    """Return when what is new was used, as well as is known: never before what is booked."""
    if sighting.live:
        return min(max(moment(sighting.live.read_at), host.read or host.known), now)
    return min(max(sighting.read, earliest), now)
