"""Rounds of collecting: visit the hosts of this collector, and book each one when it answers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from ops.counting.collecting.ledger_writer import LedgerWriter
from ops.counting.collecting.roster import Roster, Targets
from ops.counting.collecting.summary import Collected, RoundSummary
from ops.counting.collecting.visiting import PROBE_EVERY, Visit, Visitor
from ops.counting.collecting.visitors import Visitors, open_visitors
from ops.counting.reading.fan_out import on_each
from ops.counting.tunnel import Deadline
from ops.errors import HostError, LedgerError
from ops.model import Booked, Host

_RETRY_AFTER = 0.2
"""Seconds before the ledger is asked again for hosts of our own."""
_QUICK_FAILURE = 1.0
"""Seconds. A lost connection to the database fails sooner, a database that is down later."""
_ENROL_EVERY = 60.0
"""Seconds after which the inventory is written into the ledger again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The times of a collector's rounds."""

    deadline: float
    """Seconds for reading all hosts; hosts that have not answered then have failed."""
    every: float | None = None
    """Seconds from the beginning of one round to that of the next; None for a single round."""


class Collector:
    """Makes one round after another; connections stay open in between."""

    def __init__(self, roster: Roster, ledger: LedgerWriter, settings: Settings) -> None:
        self._roster = roster
        self._ledger = ledger
        self._settings = settings
        self._visitors: Visitors | None = None
        self._closed: dict[str, frozenset[str]] = {}
        self._enrol_at = self._ask_closed_at = 0.0

    async def round(self) -> Collected:
        """Make one round and return its result, also if the ledger is not available."""
        began, clock = datetime.now(UTC), asyncio.get_running_loop().time
        first = clock()
        targets = self._roster.targets()
        try:
            wanted = [*targets.hosts, *await self._unfinished(targets)]
            ours = await self._ours(targets, wanted)
        except LedgerError as error:
            summary = RoundSummary(targets, ledger_error=str(error))
        else:
            visitors = await self._visitors_of(targets)
            summary = RoundSummary(targets, wanted, asked=len(ours))
            await self._visit_all(visitors, ours, summary)
        return summary.collected(began, clock() - first)

    async def close(self) -> None:
        """Close every connection."""
        if self._visitors:
            visitors, self._visitors = self._visitors, None
            await visitors.close()

    async def _ours(self, targets: Targets, wanted: Sequence[Host]) -> list[Host]:
        """Return the hosts that no other collector reads.

        A single round waits for them until its deadline.
        """
        names = [host.name for host in wanted]
        until = Deadline.after(self._settings.deadline)
        while names and not (taken := await self._take(names)):
            # A collector with further rounds asks again in the next one.
            if self._settings.every is not None or not until.left:
                return []
            await asyncio.sleep(_RETRY_AFTER)
        taken = taken if names else frozenset()
        await self._exchange_with_ledger(targets)
        return [host for host in wanted if host.name in taken]

    async def _unfinished(self, targets: Targets) -> list[Host]:
        """Return the absent hosts that may have something left to fetch."""
        if not targets.absent:
            return []
        finished = await self._ledger.finished()
        return [host for host in targets.absent if host.name not in finished]

    async def _take(self, names: list[str]) -> frozenset[str]:
        """Return those of *names* that are ours; try twice if the first try fails at once.

        It fails at once after a restart of the database.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await self._ledger.take(names)
        except LedgerError:
            if clock() - began > _QUICK_FAILURE:
                raise
        await asyncio.sleep(_RETRY_AFTER)
        return await self._ledger.take(names)

    async def _exchange_with_ledger(self, targets: Targets) -> None:
        """Write the inventory into the ledger, and ask it for the closed runs."""
        now = asyncio.get_running_loop().time()
        changed = not self._visitors or targets.fleet is not self._visitors.fleet
        # Again from time to time: another collector's older checkout may have overwritten it.
        if changed or now >= self._enrol_at:
            await self._ledger.enrol(targets.fleet)
            self._enrol_at = now + _ENROL_EVERY
        if changed or now >= self._ask_closed_at:
            names = [host.name for host in (*targets.hosts, *targets.absent)]
            self._closed = await self._ledger.closed_runs(names)
            self._ask_closed_at = now + PROBE_EVERY

    async def _visitors_of(self, targets: Targets) -> Visitors:
        """Return visitors for the fleet of *targets*; a changed fleet gets new ones."""
        if self._visitors is None or targets.fleet is not self._visitors.fleet:
            await self.close()
            warm = self._settings.every is not None
            self._visitors = await open_visitors(targets.fleet, warm=warm)
        return self._visitors

    async def _visit_all(
        self, visitors: Visitors, hosts: Sequence[Host], summary: RoundSummary
    ) -> None:
        await visitors.keep_only({host.name for host in hosts})
        bookings: list[asyncio.Task[Booked | LedgerError]] = []

        async def visit(host: Host, until: Deadline) -> Visit:
            return await visitors.of(host).visit(self._closed.get(host.name, frozenset()), until)

        def ended(host: Host, outcome: Visit | HostError) -> None:
            summary.add_visit(host, outcome)
            if isinstance(outcome, Visit):
                bookings.append(asyncio.create_task(self._book(visitors.of(host), outcome)))

        try:
            await on_each(hosts, visit, deadline=self._settings.deadline, ended=ended)
            for booked in await asyncio.gather(*bookings):
                summary.add_booking(booked)
        finally:
            for booking in bookings:
                booking.cancel()

    async def _book(self, visitor: Visitor, visit: Visit) -> Booked | LedgerError:
        try:
            booked = await self._ledger.book(visit.observation)
        except LedgerError as error:
            visitor.note_booking(visit.observation, done=False)
            return error
        visitor.note_booking(visit.observation, done=booked.outcome == "booked")
        return booked


async def rounds(
    roster: Roster, ledger: AbstractAsyncContextManager[LedgerWriter], settings: Settings
) -> AsyncGenerator[Collected, None]:
    """Yield the result of each round. A round never begins before the one before it has ended."""
    clock = asyncio.get_running_loop().time
    async with ledger as writer:
        collector = Collector(roster, writer, settings)
        try:
            while True:
                began = clock()
                yield await collector.round()
                if settings.every is None:
                    return
                await asyncio.sleep(max(0.0, began + settings.every - clock()))
        finally:
            await collector.close()
