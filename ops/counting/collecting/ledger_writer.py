"""The ledger as a collector uses it. `counting` itself imports no database."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from ops.model import Booked, Fleet, Observation


class LedgerWriter(Protocol):
    """Books observations; each call raises LedgerError if the database is not available."""

    async def take(self, hosts: list[str]) -> frozenset[str]:
        """Return the part of *hosts* that this collector reads in this round."""

    async def enrol(self, fleet: Fleet) -> None:
        """Write the hosts and keys of *fleet* into the ledger."""

    async def finished(self) -> frozenset[str]:
        """Return the absent hosts that have nothing left to fetch."""

    async def closed_runs(self, hosts: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return, by host, the runs that ended and are booked completely: fetch none of them."""

    def book(self, observation: Observation) -> asyncio.Future[Booked]:
        """Book *observation*; the future has the ledger's answer."""
