"""Limit the logins that run at once, without letting dead hosts block the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LoginLimiter:
    """Gives out at most *limit* slots at once, in order of request.

    A slot is given back after *patience* seconds without any finish, and always after twice
    *patience*, so that dead hosts do not starve live ones. The login in it goes on.
    """

    def __init__(self, limit: int, patience: float) -> None:
        self._free = asyncio.Semaphore(limit)
        self._patience = patience
        self._holders: set[object] = set()
        self._last_finish = 0.0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a free slot, and hold it inside the ``async with``."""
        await self._free.acquire()
        loop, holder = asyncio.get_running_loop(), object()
        self._holders.add(holder)
        expiry = loop.call_later(self._patience, self._expire, holder, loop.time())
        try:
            yield
        finally:
            expiry.cancel()
            if holder in self._holders:
                self._last_finish = loop.time()
                self._give_back(holder)

    def _expire(self, holder: object, began: float) -> None:
        """Give the slot of *holder* back if it is overdue; if not yet, check again later."""
        if holder not in self._holders:
            return
        loop = asyncio.get_running_loop()
        due = min(self._last_finish + self._patience, began + 2 * self._patience)
        if loop.time() >= due:
            self._give_back(holder)
        else:
            loop.call_at(due, self._expire, holder, began)

    def _give_back(self, holder: object) -> None:
        self._holders.discard(holder)
        self._free.release()
