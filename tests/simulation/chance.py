"""What chance chooses from: the hosts, keys and machines of the world as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ops.model import ALL
from tests.simulation.questions import HOUR
from tests.simulation.simulation import Simulation

HOSTS = ("ams", "fra", "waw", "lis")
KEYS = ("alice", "bob", "carol")
SECOND, MINUTE, DAY = 1000, 60_000, 24 * HOUR
ALWAYS = {"traffic", "collect", "ask", "settle", "roll out"}
"""Kinds that happen in each history."""


@dataclass(frozen=True)
class Profile:
    """What happens how often, and how long it is until the next thing happens."""

    weights: Mapping[str, float]
    pauses: tuple[tuple[int, int], ...]
    steps: int = 60


@dataclass
class Chance:
    """Chooses the next event of a simulation."""

    simulation: Simulation
    profile: Profile
    random: Random
    skip: frozenset[str] = frozenset()
    brisk: bool = False
    """Whether most things follow each other within minutes in this history."""
    cuts: list[int] = field(default_factory=list)
    """Moments at which something happened: spans are cut there."""

    def happens(self, kind: str) -> bool:
        """Choose whether *kind* happens in this history at all.

        With all faults in all histories nothing would ever be exact, and one fault hide another.
        """
        often = kind in ALWAYS or self.random.random() < 0.5
        return often and kind not in self.skip

    def machine(self, *, running: bool = False) -> int | None:
        """Return the address of a machine."""
        machines = self.simulation.world.machines
        there = [a for a, m in machines.items() if m.alive and (m.run or not running)]
        return self.random.choice(there) if there else None

    def address(self) -> int:
        """Return an address at which nothing is yet."""
        return max(self.simulation.world.machines, default=0) + 1

    def host(self) -> str | None:
        """Return a host of the inventory."""
        return self._one(self.simulation.world.inventory.hosts)

    def new_host(self) -> str | None:
        """Return a name that no host has."""
        return self._one(set(HOSTS) - self.simulation.world.inventory.hosts.keys())

    def key(self) -> str | None:
        """Return a key of the inventory."""
        return self._one(self.simulation.world.inventory.keys)

    def ledger(self) -> int:
        """Return a ledger: nearly always the first."""
        return 1 if "second" in self.profile.weights and self.random.random() < 0.15 else 0

    def opens(self) -> tuple[str, ...]:
        """Return what a key opens."""
        if self.random.random() < 0.4:
            return (ALL,)
        return tuple(host for host in HOSTS if self.random.random() < 0.5)

    def amount(self) -> int:
        """Return bytes, of any order of magnitude."""
        return self.random.choice((1, 10, 1000, 10**6, 10**9, 10**12)) * self.random.randint(1, 9)

    def _one(self, names: Any) -> str | None:
        return self.random.choice(sorted(names)) if names else None

    def pause(self) -> int:
        """Return how long it is until the next event."""
        if self.brisk and self.random.random() < 0.8:
            return self.random.randint(1, MINUTE)
        return self.random.randint(*self.random.choice(self.profile.pauses))
