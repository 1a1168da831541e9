"""What can happen to machines, and through them: people's traffic and every kind of fault."""

import re
from collections.abc import Callable
from typing import Any

from tests.simulation.machine import Machine
from tests.simulation.simulation import Simulation

VALUES = ("-7", "9223372036854775808", "1e400", '"many"', "NaN", "{}", "null", "0.5")
"""What no counter can say."""
_VALUE = re.compile(r'(?<="value": )[0-9]+')


def _traffic(s: Simulation, address: int, user: str, up: int, down: int) -> None:
    if machine := s.world.machines.get(address):
        s.world.move(machine, user, up, down)


def _on(change: Callable[..., None]) -> Callable[..., None]:
    """Return what does *change* to the machine at an address, after its jobs of each minute."""

    def changed(s: Simulation, address: int, *words: Any) -> None:
        machine = s.world.machines.get(address)
        if machine and machine.alive:
            machine.tick()
            change(s, machine, *words)

    return changed


def _stop(s: Simulation, machine: Machine, tail: int, pause: int) -> None:
    """Stop as planned; *tail* bytes move after the last reading. A *pause* of 0 is for ever."""
    machine.stop()
    _end_and_start(s, machine, tail, pause)


def _crash(s: Simulation, machine: Machine, tail: int, pause: int) -> None:
    _end_and_start(s, machine, tail, pause)


def _end_and_start(s: Simulation, machine: Machine, tail: int, pause: int) -> None:
    if machine.run and tail and machine.users:
        s.time.pass_(20)
        s.world.move(machine, min(machine.users), tail, tail)
    s.time.pass_(20)
    machine.end()
    if pause:
        s.time.pass_(pause)
        machine.start()


def _reboot(s: Simulation, machine: Machine, tail: int, pause: int) -> None:
    machine.stop()
    _end_and_start(s, machine, tail, pause)
    machine.boot()


def _power(s: Simulation, machine: Machine, tail: int, pause: int) -> None:
    _end_and_start(s, machine, tail, pause)
    machine.boot()


def _start(_: Simulation, machine: Machine) -> None:
    machine.start()


def _fault(_: Simulation, machine: Machine, part: str, fine: bool) -> None:
    """Let the network, the way to the API, the core or the disk fail apart, or heal."""
    setattr(machine, part, fine)


def _reset(_: Simulation, machine: Machine) -> None:
    machine.reset()


def _clock(s: Simulation, machine: Machine, ahead: int) -> None:
    s.world.wrong_clocks = True
    machine.ahead = ahead


def _damage(_: Simulation, machine: Machine, kind: str, text: str) -> None:
    """Let the newest reading of a kind be nonsense; of *text* only values may be so."""
    files = [file for file in machine.disk.files.values() if file.kind == kind]
    if files:
        newest = max(files, key=lambda file: file.read_at)
        newest.damaged = _VALUE.sub(text, newest.text) if text in VALUES else text


def _rebuild(s: Simulation, address: int) -> None:
    """Another machine, empty, at the same address."""
    if address in s.world.machines:
        s.world.place(address)


def _used(s: Simulation, address: int, fleet: str, users: tuple[str, ...]) -> None:
    """Let there be a server at *address* that somebody uses already."""
    if address not in s.world.machines:
        machine = s.world.machine(address)
        machine.installed, machine.fleet, machine.users = True, fleet, set(users)
        machine.start()


MACHINE_EVENTS: dict[str, Callable[..., None]] = {
    "traffic": _traffic,
    "stop": _on(_stop),
    "crash": _on(_crash),
    "reboot": _on(_reboot),
    "power": _on(_power),
    "start": _on(_start),
    "fault": _on(_fault),
    "reset": _on(_reset),
    "clock": _on(_clock),
    "damage": _on(_damage),
    "rebuild": _rebuild,
    "used": _used,
}
