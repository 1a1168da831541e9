"""The work that a collector asks of a ledger: `counting` itself knows no database."""

import asyncio
from collections.abc import Iterable
from typing import Protocol, Self

from ops.model import Booked, Fleet, Observation


class ToLedger(Protocol):
    """A ledger as a collector sees it; each call raises LedgerError if the database is down."""

    async def __aenter__(self) -> Self:
        """Begin the work."""

    async def __aexit__(self, *error: object) -> None:
        """End after the transaction that runs."""

    async def take(self, hosts: list[str]) -> frozenset[str]:
        """Return the part of *hosts* that this collector reads in this round."""

    async def enrol(self, fleet: Fleet) -> None:
        """Tell the ledger the inventory."""

    async def finished(self) -> frozenset[str]:
        """Return the absent hosts that have nothing left to fetch."""

    async def closed_runs(self, hosts: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return, by host, the runs that need no fetching: they ended, and all is booked."""

    def book(self, observation: Observation) -> asyncio.Future[Booked]:
        """Book *observation*; the future has the ledger's answer."""
