"""What one ledger was told and shown. A restored ledger forgets it along with its figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.model import Observation, Reading, Traffic
from ops.model.key import key_of
from tests.simulation.world import World


@dataclass
class Told:
    """The knowledge that a ledger can be held to, in true time."""

    begun: int
    known: dict[str, int] = field(default_factory=dict)
    """When it was first told of each host."""
    named: dict[str, list[list[int | None]]] = field(default_factory=dict)
    """From when until when the inventory that it was told named each host."""
    opens: dict[str, set[str]] = field(default_factory=dict)
    """The hosts that each key could ever open, as it was told."""
    live: dict[str, int] = field(default_factory=dict)
    """When the core of each host was last read, as booked."""
    shown: dict[str, list[int]] = field(default_factory=dict)
    """The moments of all readings that were booked, by host."""
    used: dict[str, list[int]] = field(default_factory=dict)
    """The same without those that say only that a run began."""
    visited: set[str] = field(default_factory=set)
    """Hosts whose core or disk was read, as booked."""
    places: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """The address of each host of the inventory as it was told last, and whether it is absent."""
    rounds: list[int] = field(default_factory=list)
    """When it was told the inventory."""
    finished: dict[str, int] = field(default_factory=dict)
    """Absent hosts that were seen without a core, and told of no change since: when."""
    looked: dict[str, int] = field(default_factory=dict)
    """When each host was last seen to be without a core, as booked."""
    highest: dict[str, list[Any]] = field(default_factory=dict)
    """By run: the moment of its last reading, and the highest values of its users."""
    resets: dict[str, int] = field(default_factory=dict)
    """By run: when a reading showed counters below those of an older one."""
    counted: set[tuple[str, str]] = field(default_factory=set)
    """Keys and hosts: the readings of the host had bytes of the key."""
    decisions: list[tuple[str, int, str]] = field(default_factory=list)
    """What somebody decided about older counters: host, moment, count or baseline."""

    def enrolled(self, world: World, hosts: Iterable[str], keys: Iterable[str]) -> None:
        """Take note of the inventory that the ledger was told."""
        now, names = world.time.now, set(hosts)
        self.rounds.append(now)
        self._placed(world, names)
        for name in names:
            self.known.setdefault(name, now)
            if name in self.named and self.named[name][-1][1] is None:
                continue
            self.named.setdefault(name, []).append([now, None])
        for name in self.named.keys() - names:
            if self.named[name][-1][1] is None:
                self.named[name][-1][1] = now
        for key in keys:
            self.opens.setdefault(key, set()).update(world.inventory.opened_by(key))

    def _placed(self, world: World, names: Iterable[str]) -> None:
        for name in names:
            entry = world.inventory.hosts.get(name)
            place = (entry.address, entry.absent) if entry else (0, False)
            if self.places.get(name) != place or not place[1]:
                self.finished.pop(name, None)
            self.places[name] = place

    def booked(self, world: World, seen: Sequence[Observation], answers: Sequence[Any]) -> None:
        """Take note of observations that were booked."""
        for observation, answer in zip(seen, answers, strict=True):
            self._known(world, observation.host)
            if answer.outcome != "refused":
                self._shown(world, observation)

    def decided(self, host: str, now: int, how: str) -> None:
        """Take note of a decision about the older counters of *host*; it names the host, too."""
        self.known.setdefault(host, now)
        self.decisions.append((host, now, how))

    def names(self, host: str) -> bool:
        """Say whether the inventory that it was told last has *host*."""
        return host in self.named and self.named[host][-1][1] is None

    def depends(self, key: str) -> set[str] | None:
        """Return the hosts that a figure of *key* depends on; None means all."""
        if key not in self.opens:
            return None
        return self.opens[key] | {host for name, host in self.counted if name == key}

    def _known(self, world: World, host: str) -> None:
        if host not in self.known:
            self.known[host] = world.time.now
            self.named[host] = [[world.time.now, None]]

    def _shown(self, world: World, observation: Observation) -> None:
        host, now = observation.host, observation.now
        if now or observation.listed:
            self.visited.add(host)
        if observation.retired:
            self.looked[host] = world.time.now
            if self.places.get(host, (0, False))[1]:
                self.finished[host] = world.time.now
        elif now:
            self.finished.pop(host, None)
        for reading in observation.readings:
            moment = world.read.get((reading.run, round(reading.read_at.timestamp() * 1000)))
            if moment is not None:
                self.shown.setdefault(host, []).append(moment)
                if reading is now or reading.users:
                    self.used.setdefault(host, []).append(moment)
                self._compare(reading, moment)
                if reading is now:
                    self.live[host] = max(moment, self.live.get(host, 0))
            self.counted |= {(key_of(user), host) for user in reading.users}

    def _compare(self, reading: Reading, moment: int) -> None:
        """Take note of counters that fell: somebody reset them."""
        last, highest = self.highest.setdefault(reading.run, [0, {}])
        for user, used in reading.users.items():
            up, down = highest.get(user, (0, 0))
            highest[user] = max(up, used.uplink), max(down, used.downlink)
        if moment <= last:
            return
        self.highest[reading.run][0] = moment
        for user, (up, down) in highest.items():
            used = reading.users.get(user, Traffic())
            if used.uplink < up or used.downlink < down:
                self.resets.setdefault(reading.run, moment)
