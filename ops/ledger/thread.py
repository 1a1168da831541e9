"""A thread that does the ledger's work, so that reading hosts never blocks on the database."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from ops.errors import LedgerError
from ops.ledger.database.lease import Lease
from ops.ledger.ledger import Ledger
from ops.ledger.opening import open_ledger
from ops.model import Booked, Fleet, Observation

Answer = TypeVar("Answer")
_Work = tuple[Callable[[], Any], asyncio.Future[Any]]

PATIENCE = 20.0
"""Seconds that a round waits for a database that is locked or not available."""


class LedgerThread:
    """Does one piece of work with the ledger after another, in its own thread.

    Make it by :func:`ledger_thread`. It is the
    :class:`~ops.counting.collecting.ledger_writer.LedgerWriter` of a collector.
    """

    def __init__(self, open_: Callable[[], Ledger], patience: float) -> None:
        self.patience = patience
        """Seconds that one piece of work may take."""
        self._open = open_
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._ledger: Ledger | None = None
        self._lease: Lease | None = None
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._waiting: list[tuple[Observation, asyncio.Future[Booked]]] = []
        self._booking: asyncio.Task[None] | None = None
        # A daemon, so that a database that hangs does not keep this program running.
        threading.Thread(target=self._run, daemon=True, name="ledger").start()

    async def close(self) -> None:
        """Wait for the transaction in progress, drop all other work, and close the ledger."""
        if self._booking:
            self._booking.cancel()
        self._work.put(None)
        await asyncio.wait({self._ended}, timeout=self.patience)

    async def do(self, work: Callable[[Ledger], Answer]) -> Answer:
        """Return the result of *work* on the ledger. LedgerError if it does not end in time."""
        return await self._queue(lambda: work(self._opened()))

    async def take(self, hosts: list[str]) -> frozenset[str]:
        """Return the part of *hosts* that this collector reads in this round."""
        return await self._queue(lambda: self._leased().take(hosts))

    async def enrol(self, fleet: Fleet) -> None:
        """Write the hosts and keys of *fleet* into the ledger."""
        await self.do(partial(enrol, fleet))

    async def finished(self) -> frozenset[str]:
        """Return the absent hosts that have nothing left to fetch."""
        return await self.do(finished)

    async def closed_runs(self, hosts: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return, by host, the runs that ended and are booked completely: fetch none of them."""
        names = list(hosts)
        return await self.do(lambda ledger: ledger.closed_runs(names))

    def book(self, observation: Observation) -> asyncio.Future[Booked]:
        """Book *observation*, in one transaction with all others that wait."""
        future: asyncio.Future[Booked] = self._loop.create_future()
        self._waiting.append((observation, future))
        if self._booking is None or self._booking.done():
            self._booking = self._loop.create_task(self._book_waiting())
        return future

    async def _book_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            book = partial(_book, [observation for observation, _ in batch])
            try:
                booked = await self.do(book)
            except Exception as error:  # noqa: BLE001 - raised again at the await
                for _, future in batch:
                    _fail(future, error)
            else:
                for (_, future), answer in zip(batch, booked, strict=True):
                    _settle(future, answer)

    async def _queue(self, work: Callable[[], Answer]) -> Answer:
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._work.put((work, future))
        try:
            async with asyncio.timeout(self.patience):
                return await future
        except TimeoutError:
            raise LedgerError(
                f"the ledger's database gave no answer within {self.patience:.0f} s; what the"
                " servers counted is booked by the next round that succeeds"
            ) from None

    def _opened(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self._open()
        return self._ledger

    def _leased(self) -> Lease:
        if self._lease is None:
            self._lease = self._opened().lease()
        return self._lease

    def _run(self) -> None:
        while work := self._work.get():
            do, future = work
            if future.cancelled():
                continue  # the caller is gone: the program ends
            try:
                answer = do()
            except BaseException as error:  # noqa: BLE001 - raised again at the await
                self._call_in_loop(_fail, future, error)
            else:
                self._call_in_loop(_settle, future, answer)
        try:
            if self._lease:
                self._lease.__exit__(None, None, None)
            if self._ledger:
                self._ledger.close()
        finally:
            self._call_in_loop(_settle, self._ended, None)

    def _call_in_loop(self, function: Callable[..., None], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


def enrol(fleet: Fleet, ledger: Ledger) -> None:
    """Write the hosts and keys of *fleet* into *ledger*."""
    ledger.enrol(
        [host.name for host in fleet.hosts],
        [key.name for key in fleet.keys],
        absent=[host.name for host in fleet.hosts if host.state == "absent"],
        opens=fleet.opened_hosts(),
        addresses={host.name: host.ssh.place or host.name for host in fleet.hosts},
    )


def finished(ledger: Ledger) -> frozenset[str]:
    """Return the absent hosts that have nothing left to fetch."""
    return frozenset(state.name for state in ledger.hosts() if state.absent and state.done)


@asynccontextmanager
async def ledger_thread(fleet: Fleet) -> AsyncIterator[LedgerThread]:
    """Yield a thread for the ledger of *fleet*. The ledger is opened at the first piece of work."""
    thread = LedgerThread(partial(open_ledger, fleet, patience=PATIENCE), 2 * PATIENCE)
    try:
        yield thread
    finally:
        await thread.close()


def _book(observations: list[Observation], ledger: Ledger) -> list[Booked]:
    return ledger.book_all(observations)


def _settle(future: asyncio.Future[Any], answer: object) -> None:
    if not future.done():
        future.set_result(answer)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
