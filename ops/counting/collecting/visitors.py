"""The visitors of one fleet's hosts, with the connections that they share."""

import asyncio
from contextlib import AsyncExitStack

from ops.counting.collecting.visiting import Visitor
from ops.counting.tunnel import Dialer, open_dialer
from ops.model import Fleet, Host


class Visitors:
    """One visitor for each host, made when the host is first visited. Call close() at the end."""

    def __init__(self, fleet: Fleet, dialer: Dialer, opened: AsyncExitStack, *, warm: bool) -> None:
        self.fleet = fleet
        self._dialer = dialer
        self._opened = opened
        self._warm = warm
        self._visitors: dict[str, Visitor] = {}

    def of(self, host: Host) -> Visitor:
        """Return the visitor of *host*."""
        if host.name not in self._visitors:
            visitor = Visitor(self._dialer, host, self.fleet.id, warm=self._warm)
            self._visitors[host.name] = visitor
        return self._visitors[host.name]

    async def keep_only(self, names: set[str]) -> None:
        """Close the connections to hosts that are not in *names*."""
        for name in self._visitors.keys() - names:
            await self._visitors.pop(name).close()

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(visitor.close() for visitor in self._visitors.values()))
        self._visitors.clear()
        await self._opened.aclose()


async def open_visitors(fleet: Fleet, *, warm: bool) -> Visitors:
    """Return visitors that dial the hosts of *fleet*; if *warm*, connections stay open."""
    async with AsyncExitStack() as opening:
        dialer = await opening.enter_async_context(open_dialer(fleet))
        return Visitors(fleet, dialer, opening.pop_all(), warm=warm)
