"""The line to a host: the only place where the collector touches a server."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from ops.counting.collecting.probe import PROBE
from ops.errors import ApiError, TunnelError
from ops.model import Host, Reading, Traffic
from tests.simulation.clock import current
from tests.simulation.machine import Machine
from tests.simulation.world import World

ROUND_TRIP = 7
"""Milliseconds that an answer takes."""
_FILE = re.compile(r"[0-9A-Za-z-]+\.(?:last|minute|begun)\.json")


class SimulatedLine:
    """What `ops.counting.tunnel.Line` is: it runs the collector's commands."""

    def __init__(self, world: World, host: Host, machine: Machine) -> None:
        self.host = host
        self._world = world
        self._machine = machine
        self._boots = machine.boots

    async def run(self, command: str, *_: Any, **__: Any) -> str:
        """Return what *command* prints on the host."""
        self.pass_()
        if not self._machine.readable:
            raise TunnelError(self.host.name, "its disk cannot be read")
        self._machine.tick()
        return (
            "\n".join(_probed(self._machine) if command == PROBE else self._files(command)) + "\n"
        )

    def pass_(self) -> None:
        """Let the time of an answer pass; TunnelError if the line is broken."""
        current().pass_(ROUND_TRIP)
        machine = self._machine
        if not (machine.alive and machine.net and machine.boots == self._boots):
            raise TunnelError(self.host.name, "its ssh connection broke")

    def _files(self, command: str) -> Iterator[str]:
        for name in _FILE.findall(command):
            yield f"= {name}"
            if file := self._machine.disk.files.get(name):
                self._world.read[file.run, file.read_at] = file.moment
                yield file.text
            yield ""


class SimulatedReader:
    """What `ops.counting.reading.host_reader.HostReader` is: it asks the core."""

    def __init__(self, world: World, host: Host, machine: Machine) -> None:
        self.line = SimulatedLine(world, host, machine)
        self._world = world
        self._host = host
        self._machine = machine

    async def read(self, *_: Any) -> Reading:
        """Return the counters of the run that lives."""
        self.line.pass_()
        machine = self._machine
        run = machine.run
        if run is None or machine.hung or not machine.heard:
            raise ApiError(self._host.name, "its core does not answer")
        time = current()
        now = time.wall()
        age = timedelta(seconds=(time.now - run.began) // 1000)
        self._world.read[run.identity, round(now.timestamp() * 1000)] = time.now
        time.pass_(1)
        return Reading(
            host=self._host.name,
            run=run.identity,
            read_at=now,
            counting_since=(now - age).replace(microsecond=0),
            users={user: Traffic(*amounts) for user, amounts in run.counters.items()},
            inbounds={"ss": Traffic()},
        )


@asynccontextmanager
async def open_reader(world: World, host: Host) -> AsyncIterator[SimulatedReader]:
    """Open a line to *host*; TunnelError if nothing answers at its address."""
    current().pass_(ROUND_TRIP)
    machine = world.machines.get(int(host.ssh.hostname))
    if machine is None or not (machine.alive and machine.net):
        raise TunnelError(host.name, "does not answer")
    yield SimulatedReader(world, host, machine)


def _probed(machine: Machine) -> Iterator[str]:
    yield f"boot {machine.identity}-{machine.boots}"
    yield "card hardware 1 1000 1000"
    yield f"clock {machine.clock // 1000}"
    yield f"machine {machine.identity}"
    yield f"up {(machine.time.now - machine.booted) / 1000:.3f}"
    yield f"init S{' 0' * 19}"
    yield f"core {'installed' if machine.installed else 'none'}"
    if machine.fleet:
        yield f"fleet {machine.fleet}"
        yield from (f"before {run}" for run in machine.before)
    yield from machine.disk.listed()
    yield "end"
