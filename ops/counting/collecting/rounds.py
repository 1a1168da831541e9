"""Rounds of collecting: visit every host that is ours, and book what comes while it comes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from ops.counting.collecting.outcome import Collected
from ops.counting.collecting.roster import Muster, Roster
from ops.counting.collecting.summary import Harvest
from ops.counting.collecting.to_ledger import ToLedger
from ops.counting.collecting.visiting import RARELY, Visit, Visitor
from ops.counting.reading.fan_out import on_each
from ops.counting.tunnel import Deadline, Dialer
from ops.errors import HostError, LedgerError
from ops.model import Booked, Fleet, Host

_AGAIN = 0.2
"""Seconds between two tries to have hosts of our own."""
_AT_ONCE = 1.0
"""Seconds: a connection that was lost meanwhile fails sooner, a database that is away later."""
_ENROL = 60.0
"""Seconds between two times that the ledger is told the inventory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How rounds are made."""

    deadline: float
    """Seconds in which all hosts are read, whatever hangs."""
    every: float | None = None
    """Seconds between the beginnings of two rounds; None is one round and no more."""


class Collector:
    """Goes round the hosts of a roster; what is open stays open in between."""

    def __init__(self, roster: Roster, ledger: ToLedger, settings: Settings) -> None:
        self._roster = roster
        self._ledger = ledger
        self._settings = settings
        self._fleet: Fleet | None = None
        self._opened = AsyncExitStack()
        self._dialer: Dialer
        self._visitors: dict[str, Visitor] = {}
        self._closed: dict[str, frozenset[str]] = {}
        self._enrol_at = self._close_at = 0.0

    async def round(self) -> Collected:
        """Return what one round has come to; a ledger that is away is a value, too."""
        began, clock = datetime.now(UTC), asyncio.get_running_loop().time
        first = clock()
        muster = self._roster.now()
        harvest = Harvest(muster=muster)
        try:
            harvest.wanted = [*muster.hosts, *await self._unfinished(muster)]
            hosts = await self._ours(muster, harvest.wanted)
        except LedgerError as error:
            harvest.ledger_error = str(error)
        else:
            await self._follow(muster)
            await self._go_round(hosts, harvest)
        return harvest.collected(began, clock() - first)

    async def close(self) -> None:
        """Hang up on every host."""
        await asyncio.gather(*(visitor.hang_up() for visitor in self._visitors.values()))
        self._visitors.clear()
        await self._opened.aclose()

    async def _ours(self, muster: Muster, wanted: Sequence[Host]) -> list[Host]:
        """Return the hosts that no other collector reads; wait a while if those are none."""
        names = [host.name for host in wanted]
        until = Deadline.after(self._settings.deadline)
        while names and not (mine := await self._take(names)):
            # A collector that goes on and on is asked again in its next round.
            if self._settings.every is not None or not until.left:
                return []
            await asyncio.sleep(_AGAIN)
        mine = mine if names else frozenset()
        await self._learn(muster)
        return [host for host in wanted if host.name in mine]

    async def _unfinished(self, muster: Muster) -> list[Host]:
        """Return the absent hosts of which something may be left to fetch."""
        if not muster.leaving:
            return []
        done = await self._ledger.finished()
        return [host for host in muster.leaving if host.name not in done]

    async def _take(self, names: list[str]) -> frozenset[str]:
        """Return which of *names* are ours; a database that was just restarted is asked again."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await self._ledger.take(names)
        except LedgerError:
            if clock() - began > _AT_ONCE:
                raise
        await asyncio.sleep(_AGAIN)
        return await self._ledger.take(names)

    async def _learn(self, muster: Muster) -> None:
        """Tell the ledger the inventory, and learn which runs it has closed."""
        now = asyncio.get_running_loop().time()
        # Now and then though it is the same: another collector's checkout may be an older one.
        if muster.fleet is not self._fleet or now >= self._enrol_at:
            await self._ledger.enrol(muster.fleet)
            self._enrol_at = now + _ENROL
        if muster.fleet is not self._fleet or now >= self._close_at:
            names = [host.name for host in (*muster.hosts, *muster.leaving)]
            self._closed = await self._ledger.closed_runs(names)
            self._close_at = now + RARELY

    async def _follow(self, muster: Muster) -> None:
        """Dial by the fleet's newest files."""
        if muster.fleet is not self._fleet:
            await self.close()
            self._dialer = await self._opened.enter_async_context(Dialer(muster.fleet))
            self._fleet = muster.fleet

    async def _go_round(self, hosts: Sequence[Host], harvest: Harvest) -> None:
        harvest.asked = len(hosts)
        await self._leave({host.name for host in hosts})
        bookings: list[asyncio.Task[Booked | LedgerError]] = []

        def ended(host: Host, outcome: Visit | HostError) -> None:
            harvest.visited(host, outcome)
            if isinstance(outcome, Visit):
                bookings.append(asyncio.create_task(self._book(host, outcome)))

        try:
            await on_each(hosts, self._visit, deadline=self._settings.deadline, ended=ended)
            for booked in await asyncio.gather(*bookings):
                harvest.booked(booked)
        finally:
            for booking in bookings:
                booking.cancel()

    async def _visit(self, host: Host, until: Deadline) -> Visit:
        visitor = self._visitors.get(host.name)
        if visitor is None:
            warm = self._settings.every is not None
            fleet = self._fleet.id if self._fleet else ""
            visitor = self._visitors[host.name] = Visitor(self._dialer, host, fleet, warm=warm)
        return await visitor.visit(self._closed.get(host.name, frozenset()), until)

    async def _book(self, host: Host, visit: Visit) -> Booked | LedgerError:
        visitor = self._visitors[host.name]
        try:
            booked = await self._ledger.book(visit.observation)
        except LedgerError as error:
            visitor.booked(visit.observation, done=False)
            return error
        visitor.booked(visit.observation, done=booked.outcome == "booked")
        return booked

    async def _leave(self, ours: set[str]) -> None:
        """Hang up on hosts that another collector has taken over, or that are away."""
        for name in self._visitors.keys() - ours:
            await self._visitors.pop(name).hang_up()


async def rounds(
    roster: Roster, ledger: ToLedger, settings: Settings
) -> AsyncGenerator[Collected, None]:
    """Yield what each round has come to: one, or one each *every* seconds, never two at once."""
    clock = asyncio.get_running_loop().time
    async with ledger:
        collector = Collector(roster, ledger, settings)
        try:
            while True:
                began = clock()
                yield await collector.round()
                if settings.every is None:
                    return
                await asyncio.sleep(max(0.0, began + settings.every - clock()))
        finally:
            await collector.close()
