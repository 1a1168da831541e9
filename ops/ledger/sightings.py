"""Decide what an observation shows: which runs, whose they are, and since when. No database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ops.ledger.calendar import moment
from ops.ledger.records import Adopt, HostRow, RunRow
from ops.model import Observation, Reading, Traffic

NAMELESS = "~"
"""Begins the identity that we give to a run whose core has none: figures of it are at least."""
_SLACK = 2_000
"""Milliseconds by which the beginning of a nameless run may be off: ages come in seconds."""
_KEPT = 90 * 86_400_000
"""Milliseconds that hosts keep readings: nothing can be found that is older."""
_LARGEST = 2**63 - 1


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One run in an observation: the highest of what its readings say."""

    run: RunRow
    users: Mapping[str, Traffic]
    read: int
    """When it was last read, by the clock of whoever read it."""
    at: int = 0
    """The moment to which what is new in it is booked."""
    live: Reading | None = None
    """The running core's own answer, if it is this run's."""
    counted: bool = True
    """False where it is the baseline: what was there before the ledger."""

    @property
    def used(self) -> bool:
        """Return whether it has counted anything."""
        return any(used.total for used in self.users.values())


@dataclass(slots=True, kw_only=True)
class Found:
    """What an observation shows of one host."""

    sightings: list[Sighting]
    strangers: list[Sighting]
    """Runs that may have counted before the ledger knew the host: somebody must decide."""


def look(
    observation: Observation,
    host: HostRow,
    runs: Mapping[str, RunRow],
    elsewhere: Mapping[str, str],
    now: int,
) -> Found:
    """Sort out the readings of *observation*.

    *runs* are those known of the host by identity, *elsewhere* names the host under which a
    run is known besides. *now* is the collector's time; no moment is put after it.
    """
    found = Found(sightings=[], strangers=[])
    for identity, readings in _by_run(observation, host, runs).items():
        live = next((r for r in readings if r is observation.now), None)
        read = min(max(moment(reading.read_at) for reading in readings), now)
        run = runs.get(identity) or _new_run(host, identity, readings, read)
        sighting = Sighting(run=run, users=_highest(readings), read=read, live=live)
        sighting.at = _booking_time(sighting, host, now)
        if run.id or (identity not in elsewhere and _ours(sighting, host)):
            found.sightings.append(sighting)
        elif sighting.used or live:
            found.strangers.append(sighting)
        # Else it began before the ledger knew the host: what it counts later is not ours by that.
    return found


def refusal(observation: Observation) -> str:
    """Return why *observation* cannot be booked at all, or nothing."""
    for reading in (*observation.kept, *([observation.now] if observation.now else ())):
        if reading.host != observation.host:
            return f"a reading of {reading.host} came with the visit of {observation.host}"
        for name, used in reading.users.items():
            if not (0 <= used.uplink <= _LARGEST and 0 <= used.downlink <= _LARGEST):
                return f"{name} has {used.uplink} up and {used.downlink} down: no counter says that"
    return ""


def adopted(
    strangers: Iterable[Sighting], how: Adopt, elsewhere: Mapping[str, str], now: int
) -> list[Sighting]:
    """Return *strangers* as they are booked once somebody decided *how*.

    What is booked under another host's name already is not counted again.
    """
    strangers = list(strangers)
    for sighting in strangers:
        sighting.counted = how == "count" and sighting.run.identity not in elsewhere
        if not sighting.live:
            sighting.at = max(sighting.read, now - _KEPT)
    return strangers


def _by_run(
    observation: Observation, host: HostRow, runs: Mapping[str, RunRow]
) -> dict[str, list[Reading]]:
    by_run: dict[str, list[Reading]] = {}
    for reading in observation.kept:
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


def _ours(sighting: Sighting, host: HostRow) -> bool:
    """Say whether all that an unseen run counted was counted while the ledger knew the host."""
    if sighting.live and not sighting.used:
        return True
    if sighting.live and host.run_id is not None:
        return True  # when the host was last read another run was alive: this one came later
    if host.listed:
        return True  # it was not on the disk then: it came later, whatever its clock says
    return sighting.run.since >= host.known


def _booking_time(sighting: Sighting, host: HostRow, now: int) -> int:
    """Return when what is new was used, as well as is known: never before what is booked."""
    if sighting.live:
        return min(max(moment(sighting.live.read_at), host.read or host.known), now)
    earliest = sighting.run.read if sighting.run.id else host.known
    return min(max(sighting.read, earliest), now)
