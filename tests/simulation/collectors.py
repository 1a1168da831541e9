"""Processes that collect: the real `Collector`, and where such a process can die.

The ledger's thread is left out: what it does is done at once, in the loop. So a simulation is
deterministic, and quick. The real thread has tests of its own (tests/test_collecting*.py).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from unittest.mock import patch

import ops.counting.collecting.roster
import ops.counting.collecting.visiting
import ops.counting.collecting.visitors
import ops.fleet.inventory
from ops.counting.collecting import Collected, Roster
from ops.counting.collecting.rounds import Collector, Settings
from ops.errors import LedgerError
from ops.ledger import Ledger, thread
from ops.model import Booked, Fleet, Observation
from tests.simulation import line, waiting
from tests.simulation.books import Books
from tests.simulation.world import World

Answer = TypeVar("Answer")
DEADLINE = 10.0
EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process dies: at its *number*-th piece of work with the ledger in a round."""

    number: int
    after: bool
    """Whether that work is done and committed."""


class InlineLedger:
    """What `ops.ledger.thread.LedgerThread` is, without its thread."""

    def __init__(self, books: Books) -> None:
        self.away = False
        """Whether the database is away."""
        self.late: list[Observation] | None = None
        """Where what is read is kept, if it is not booked now."""
        self.death: Death | None = None
        self._books = books
        self._waiting: list[tuple[Observation, asyncio.Future[Booked]]] = []
        self._booking: asyncio.Task[None] | None = None
        self._done = 0

    def begin_round(self) -> "asyncio.Future[None]":
        """Return what is done when the process dies."""
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._done = 0
        return self.died

    def end(self) -> None:
        """Do nothing any more."""
        if self._booking:
            self._booking.cancel()
        if self._books.holder is self:
            self._books.holder = None

    async def take(self, hosts: list[str]) -> frozenset[str]:
        """Return all of *hosts*, or none while another collector holds the lease."""
        if self._books.holder is None:
            self._books.holder = self
        mine = self._books.holder is self
        return await self.do(lambda _: frozenset(hosts if mine else ()))

    async def enrol(self, fleet: Fleet) -> None:
        """Tell the ledger the inventory."""
        await self.do(partial(thread.enrol, fleet))

    async def finished(self) -> frozenset[str]:
        """Return the absent hosts that have nothing left to fetch."""
        return await self.do(thread.finished)

    async def closed_runs(self, hosts: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return, by host, the runs that need no fetching."""
        names = list(hosts)
        return await self.do(lambda ledger: ledger.closed_runs(names))

    async def do(self, work: Callable[[Ledger], Answer]) -> Answer:
        """Return what *work* does with the ledger."""
        await self._maybe_die(after=False)
        if self.away:
            raise LedgerError("the ledger's database is away")
        answer = work(self._books.ledger)
        await self._maybe_die(after=True)
        self._done += 1
        return answer

    def book(self, observation: Observation) -> "asyncio.Future[Booked]":
        """Have *observation* booked, with all that come until it is its turn."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Booked] = loop.create_future()
        if self.late is not None:
            self.late.append(observation)
            future.set_exception(LedgerError("the database gave no answer in time"))
            return future
        self._waiting.append((observation, future))
        if self._booking is None or self._booking.done():
            self._booking = loop.create_task(self._book_waiting())
        return future

    async def _book_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            seen = [observation for observation, _ in batch]
            try:
                booked = await self.do(partial(_book, seen))
            except LedgerError as error:
                for _, future in batch:
                    future.set_exception(error)
            else:
                for (_, future), answer in zip(batch, booked, strict=True):
                    future.set_result(answer)

    async def _maybe_die(self, *, after: bool) -> None:
        if self.death == Death(self._done, after):
            self.died.set_result(None)
            await asyncio.get_running_loop().create_future()


class Process:
    """A process of `ops collect`: it goes on for ever, or makes one round."""

    def __init__(self, world: World, books: Books) -> None:
        self.ledger = InlineLedger(books)
        self._world = world
        self._roster = Roster(world.inventory.fleet().folder)
        self._collector: Collector | None = None

    def round(self, *, for_ever: bool, death: Death | None = None) -> Collected | None:
        """Return what one round has come to; None if the process died in it."""
        self.ledger.death = death
        with _edges(self._world):
            collected = waiting.run(self._round(for_ever))
            if collected is None or not for_ever:
                self.end()
        return collected

    def end(self) -> None:
        """End the process: it lets go of the lease."""
        self.ledger.end()
        self._collector = None

    async def _round(self, for_ever: bool) -> Collected | None:
        if self._collector is None:
            settings = Settings(deadline=DEADLINE, every=EVERY if for_ever else None)
            ledger: Any = self.ledger
            self._collector = Collector(self._roster, ledger, settings)
        died = self.ledger.begin_round()
        task = asyncio.ensure_future(self._collector.round())
        both: set[asyncio.Future[Any]] = {task, died}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return None


def _book(seen: list[Observation], ledger: Ledger) -> list[Booked]:
    return ledger.book_all(seen)


@asynccontextmanager
async def _open_dialer(fleet: Fleet) -> AsyncIterator[None]:
    yield None


@contextmanager
def _edges(world: World) -> Iterator[None]:
    """Let the collector reach simulated hosts, and read the fleet from memory."""

    @asynccontextmanager
    async def opened(dialer: object, host: Any, until: object) -> Any:
        async with line.open_reader(world, host) as reader:
            yield reader

    inventory = world.inventory
    with (
        patch.object(ops.counting.collecting.visiting, "open_reader", opened),
        patch.object(ops.counting.collecting.visitors, "open_dialer", _open_dialer),
        patch.object(ops.counting.collecting.roster, "_stamp", lambda _: inventory.version),
        patch.object(ops.fleet.inventory, "load", lambda _: inventory.fleet()),
    ):
        yield
