"""Visit a host: the counters of its core, the readings it kept, its network card."""

from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from random import uniform
from time import monotonic

from ops.counting.collecting.belonging import Belonging
from ops.counting.collecting.disk import Look, look
from ops.counting.reading.host_reader import HostReader, open_reader
from ops.counting.tunnel import Deadline, Dialer
from ops.errors import HostError
from ops.model import UNKNOWN_MACHINE, Host, Observation, Reading

FOR_THE_API = 0.6
"""Of the time that is left: a core that hangs must not keep us from its host's disk."""
RARELY = 600.0
"""Seconds between two looks at a host whose run goes on."""
OFTEN = 60.0
"""The same where only the disk answers: the host writes a reading a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of one visit; nothing of it is lost because another part failed."""

    observation: Observation
    failure: HostError | None = None
    """Why the core's counters are not among it."""
    troubles: tuple[str, ...] = ()
    """What else could not be read, in sentences."""
    ahead: float = 0.0
    """Seconds by which the host's clock was ahead of ours when its disk was last looked at."""


class Visitor:
    """Visits one host as often as asked; its line stays open in between if *warm*."""

    def __init__(self, dialer: Dialer, host: Host, fleet: str, *, warm: bool) -> None:
        self.host = host
        self._fleet = fleet
        self._dialer = dialer
        self._warm = warm
        self._open: tuple[HostReader, AsyncExitStack] | None = None
        self._run = ""
        self._next_look = 0.0
        self._ahead = 0.0
        self._belonging: Belonging | None = None
        self._unbooked: Reading | None = None

    async def visit(self, closed: Collection[str], until: Deadline) -> Visit:
        """Return what the host says by *until*; HostError if it says nothing.

        Files of runs that are *closed* are not fetched: they are over, and booked.
        """
        if self._open:
            try:
                return await self._over_the_line(closed, until, alone=False)
            except HostError:
                # It was rebooted, or its core restarted: then a new line works.
                if not until.left:
                    raise
        async with AsyncExitStack() as opening:
            reader = await opening.enter_async_context(open_reader(self._dialer, self.host, until))
            self._open = reader, opening.pop_all()
        return await self._over_the_line(closed, until, alone=True)

    def booked(self, observation: Observation, *, done: bool) -> None:
        """Take note whether what was observed is in the ledger; if not, it is shown again."""
        if not done:
            self._next_look = 0.0
            self._unbooked = observation.now or self._unbooked
        elif self._unbooked and self._unbooked.run in {r.run for r in observation.readings}:
            self._unbooked = None

    async def hang_up(self) -> None:
        """Close the line."""
        if self._open:
            (_, opened), self._open = self._open, None
            await opened.aclose()

    async def _over_the_line(
        self, closed: Collection[str], until: Deadline, *, alone: bool
    ) -> Visit:
        """Visit over the open line; if the core is silent, its disk *alone* will do."""
        assert self._open  # noqa: S101
        reader, _ = self._open
        keep = False
        try:
            reading, failure = await self._read(reader, until, alone=alone)
            found = await self._look_if_due(reader, reading, closed, until)
            if failure and found and not found.whole:
                raise failure
            keep = self._warm and failure is None
        finally:
            # After a failure gRPC would wait ever longer before it tries the same line again.
            if not keep:
                await self.hang_up()
        return Visit(
            observation=self._observation(reading, found),
            failure=failure,
            troubles=tuple(found.told()) if found else (),
            ahead=self._ahead,
        )

    async def _read(
        self, reader: HostReader, until: Deadline, *, alone: bool
    ) -> tuple[Reading | None, HostError | None]:
        share = Deadline(until.at - until.left * (1 - FOR_THE_API), until.seconds)
        try:
            return await reader.read(share), None
        except HostError as error:
            if not alone:
                raise
            return None, error

    async def _look_if_due(
        self, reader: HostReader, reading: Reading | None, closed: Collection[str], until: Deadline
    ) -> Look | None:
        run = reading.run if reading else ""
        if run == self._run and monotonic() < self._next_look:
            return None
        # The files of the run that has just answered say less than it did.
        besides = {reading.run, *closed} if reading else closed
        found = await look(reader.line, besides, until)
        # Not all hosts at once: a look costs several times what a reading does.
        rest = (RARELY if reading else OFTEN) * uniform(0.7, 1.0)  # noqa: S311
        self._next_look = monotonic() + rest if found.whole else 0.0
        self._run, self._ahead, self._belonging = run, found.ahead, found.belonging
        return found

    def _observation(self, reading: Reading | None, found: Look | None) -> Observation:
        found = found or Look()
        kept = found.readings
        if self._unbooked and found.whole and reading and reading.run != self._unbooked.run:
            kept = [*kept, self._unbooked]  # the ledger was away while that run was alive
        seen = Observation(
            host=self.host.name,
            now=reading,
            on_disk=tuple(kept),
            stopped=frozenset(found.stopped),
            listed=found.whole,
            nic=found.nic,
            damaged=frozenset(found.damaged),
            up=_up(found.belonging),
        )
        return self._with_machine(seen)

    def _with_machine(self, seen: Observation) -> Observation:
        """Add which machine it is, and which of its runs the fleet began."""
        if self._belonging is None:
            return replace(seen, machine=UNKNOWN_MACHINE)
        there, fleet = self._belonging, self._fleet
        runs = {reading.run for reading in seen.readings}
        return replace(
            seen,
            machine=there.seen_by(fleet),
            older=there.older_than(fleet, runs),
            begun=there.begun_by(fleet, runs),
            retired=seen.listed and seen.now is None and not there.installed,
        )


def _up(there: Belonging | None) -> timedelta | None:
    return None if there is None or there.up is None else timedelta(seconds=there.up)
