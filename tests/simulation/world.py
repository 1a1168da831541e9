"""The world of one simulation: time, machines at addresses, the inventory, and all that moved."""

from dataclasses import dataclass, field

from tests.simulation.clock import Time
from tests.simulation.inventory import Inventory
from tests.simulation.machine import Machine, Move


@dataclass(slots=True)
class Bearing:
    """The inventory named a machine *name*, from one moment until another."""

    name: str
    machine: Machine
    since: int
    until: int | None = None


@dataclass
class World:
    """All that is true."""

    time: Time
    inventory: Inventory
    machines: dict[int, Machine] = field(default_factory=dict)
    """By address: the machine that answers there now."""
    everyone: list[Machine] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    bearings: list[Bearing] = field(default_factory=list)
    read: dict[tuple[str, int], int] = field(default_factory=dict)
    """The true moment of each reading, by its run and the moment that it says."""
    wrong_clocks: bool = False
    """Whether any clock was ever wrong."""

    def machine(self, address: int) -> Machine:
        """Return the machine at *address*; a new one is put there if there is none."""
        if address not in self.machines:
            self.place(address)
        return self.machines[address]

    def place(self, address: int) -> Machine:
        """Put a new machine at *address*; one that was there is gone for good."""
        if old := self.machines.get(address):
            old.wipe()
        machine = Machine(f"m{address}x{len(self.everyone)}", self.time)
        self.machines[address] = machine
        self.everyone.append(machine)
        self.renamed()
        return machine

    def named(self, name: str) -> Machine | None:
        """Return the machine that the inventory calls *name*."""
        entry = self.inventory.hosts.get(name)
        return self.machines.get(entry.address) if entry else None

    def move(self, machine: Machine, user: str, up: int, down: int) -> None:
        """Move payload through *machine*."""
        if move := machine.move(user, up, down):
            self.moves.append(move)

    def renamed(self) -> None:
        """Take note of which machine bears which name, after either changed."""
        self.inventory.version += 1
        now = {name: self.named(name) for name in self.inventory.hosts}
        for bearing in self.bearings:
            if bearing.until is None and now.get(bearing.name) is not bearing.machine:
                bearing.until = self.time.now
        borne = {bearing.name for bearing in self.bearings if bearing.until is None}
        for name, machine in now.items():
            if machine and name not in borne:
                self.bearings.append(Bearing(name, machine, self.time.now))

    def roll_out(self, name: str, *, restart: bool) -> None:
        """Bring a host to what the inventory says, as a rollout does."""
        machine, entry = self.named(name), self.inventory.hosts.get(name)
        if machine is None or entry is None or not (machine.alive and machine.net):
            return
        if entry.absent:
            self._remove(machine)
            return
        users = self.inventory.users_of(name)
        machine.lingering |= machine.users - users
        machine.users = users
        if self._take_over(machine) or restart or machine.run is None:
            machine.stop()
            machine.end()
            self.time.pass_(2500)
            machine.start()

    def _take_over(self, machine: Machine) -> bool:
        from tests.simulation.machine import OURS

        if machine.installed and machine.fleet == OURS:
            return False
        machine.before = [file.run for file in machine.disk.files.values()]
        if machine.run:
            machine.before.append(machine.run.identity)
        machine.fleet, machine.installed = OURS, True
        return True

    @staticmethod
    def _remove(machine: Machine) -> None:
        machine.stop()
        machine.end()
        machine.users, machine.lingering, machine.installed = set(), set(), False
