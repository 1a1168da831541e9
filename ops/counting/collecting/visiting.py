"""Visit a host: read the counters of its core, its last readings and its network cards."""

from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import uniform
from time import monotonic

from ops.counting.collecting.disk import LastReadings
from ops.counting.collecting.machine import Machine
from ops.counting.collecting.probe import ProbeResult, probe_host
from ops.counting.reading.host_reader import API_SHARE, HostReader, open_reader
from ops.counting.tunnel import Deadline, Dialer
from ops.errors import HostError
from ops.model import UNKNOWN_MACHINE, Host, Observation, Reading

PROBE_EVERY = 600.0
"""Seconds between two probes of a host whose run goes on."""
PROBE_SILENT_EVERY = 60.0
"""Seconds between two probes while the core does not answer: the host writes one reading a
minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The result of one visit. If one part failed, the other parts are here all the same."""

    observation: Observation
    failure: HostError | None = None
    """The reason why the observation lacks the counters of the core."""
    warnings: tuple[str, ...] = ()
    """Sentences about other parts that could not be read."""
    clock_ahead: float = 0.0
    """Seconds by which the host's clock was ahead of ours at the last probe."""


class Visitor:
    """Visits one host again and again. If *warm*, its connection stays open between visits."""

    def __init__(self, dialer: Dialer, host: Host, fleet: str, *, warm: bool) -> None:
        self.host = host
        self._fleet = fleet
        self._dialer = dialer
        self._warm = warm
        self._open: tuple[HostReader, AsyncExitStack] | None = None
        self._run = ""
        self._next_probe = 0.0
        self._clock_ahead = 0.0
        self._machine: Machine | None = None
        self._unbooked: Reading | None = None

    async def visit(self, closed: Collection[str], until: Deadline) -> Visit:
        """Return the result of a visit that ends by *until*; HostError if it read nothing.

        Last readings of *closed* runs are not fetched, because they are booked completely.
        """
        if self._open:
            reader, _ = self._open
            try:
                return await self._visit_over(reader, closed, until, accept_disk_only=False)
            except HostError:
                # The host rebooted, or its core restarted: a new connection works then.
                if not until.left:
                    raise
        async with AsyncExitStack() as opening:
            reader = await opening.enter_async_context(open_reader(self._dialer, self.host, until))
            self._open = reader, opening.pop_all()
        return await self._visit_over(reader, closed, until, accept_disk_only=True)

    def note_booking(self, observation: Observation, *, done: bool) -> None:
        """Note whether the ledger booked *observation*; if not, later visits repeat its readings.

        The host's disk lacks the newest reading of a run that was killed. So the visitor itself
        holds that reading until it is booked.
        """
        if not done:
            self._next_probe = 0.0
            self._unbooked = observation.now or self._unbooked
        elif self._unbooked and self._unbooked.run in {r.run for r in observation.readings}:
            self._unbooked = None

    async def close(self) -> None:
        """Close the connection, if it is open."""
        if self._open:
            (_, opened), self._open = self._open, None
            await opened.aclose()

    async def _visit_over(
        self,
        reader: HostReader,
        closed: Collection[str],
        until: Deadline,
        *,
        accept_disk_only: bool,
    ) -> Visit:
        """Visit over the connection of *reader*; HostError if the core does not answer.

        With *accept_disk_only* that is an error only if the probe fails, too.
        """
        keep = False
        try:
            reading, failure = await self._read(reader, until, accept_failure=accept_disk_only)
            probe = await self._probe_if_due(reader, reading, closed, until)
            if failure and probe and not probe.complete:
                raise failure
            keep = self._warm and failure is None
        finally:
            # After a failure gRPC would wait longer and longer before it connects again.
            if not keep:
                await self.close()
        return Visit(
            observation=self._observation(reading, probe),
            failure=failure,
            warnings=probe.warnings if probe else (),
            clock_ahead=self._clock_ahead,
        )

    async def _read(
        self, reader: HostReader, until: Deadline, *, accept_failure: bool
    ) -> tuple[Reading | None, HostError | None]:
        try:
            return await reader.read(until.part(API_SHARE)), None
        except HostError as error:
            if not accept_failure:
                raise
            return None, error

    async def _probe_if_due(
        self, reader: HostReader, reading: Reading | None, closed: Collection[str], until: Deadline
    ) -> ProbeResult | None:
        run = reading.run if reading else ""
        if run == self._run and monotonic() < self._next_probe:
            return None
        # The last readings of the run that answered just now are older than its answer.
        known_runs = {reading.run, *closed} if reading else closed
        probe = await probe_host(reader.line, known_runs, until)
        # A random part spreads the hosts: a probe costs several times as much as a reading.
        pause = (PROBE_EVERY if reading else PROBE_SILENT_EVERY) * uniform(0.7, 1.0)  # noqa: S311
        self._next_probe = monotonic() + pause if probe.complete else 0.0
        self._run, self._clock_ahead, self._machine = run, probe.clock_ahead, probe.machine
        return probe

    def _observation(self, reading: Reading | None, probe: ProbeResult | None) -> Observation:
        probe = probe or ProbeResult(on_disk=LastReadings(self.host.name))
        on_disk = probe.on_disk.readings
        if self._unbooked and probe.complete and reading and reading.run != self._unbooked.run:
            on_disk = [*on_disk, self._unbooked]  # the ledger was not available during that run
        observation = Observation(
            host=self.host.name,
            now=reading,
            on_disk=tuple(on_disk),
            stopped=frozenset(probe.on_disk.stopped),
            listed=probe.complete,
            nic=probe.nic,
            damaged=frozenset(probe.on_disk.damaged),
            up=_uptime(probe.machine),
            seen_at=datetime.now(UTC),
        )
        return self._with_machine(observation)

    def _with_machine(self, observation: Observation) -> Observation:
        """Return *observation* with the machine's identity and the runs that the fleet began."""
        machine, fleet = self._machine, self._fleet
        if machine is None:
            return replace(observation, machine=UNKNOWN_MACHINE)
        runs = {reading.run for reading in observation.readings}
        return replace(
            observation,
            machine=machine.identity(fleet),
            older=machine.older_than(fleet, runs),
            begun=machine.begun_by(fleet, runs),
            retired=observation.listed and observation.now is None and not machine.installed,
        )


def _uptime(machine: Machine | None) -> timedelta | None:
    return None if machine is None or machine.up is None else timedelta(seconds=machine.up)
