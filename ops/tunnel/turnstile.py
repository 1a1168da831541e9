"""Let some in at a time, and let nobody who merely waits keep others out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turnstile:
    """At most *width* at once are inside, unless all of them are only waiting.

    When nobody has come out for *patience* seconds, whoever is inside for that long no longer
    counts: it waits for its host, however slow or dead that is, and must not delay the others.
    """

    def __init__(self, width: int, patience: float) -> None:
        self._free = asyncio.Semaphore(width)
        self._patience = patience
        self._counted: set[object] = set()
        self._last_out = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, in order of arrival, and hold it while inside."""
        await self._free.acquire()
        loop, visitor = asyncio.get_running_loop(), object()
        self._counted.add(visitor)
        expiry = loop.call_later(self._patience, self._look_at, visitor)
        try:
            yield
        finally:
            expiry.cancel()
            if visitor in self._counted:
                self._last_out = loop.time()
                self._discount(visitor)

    def _look_at(self, visitor: object) -> None:
        """Stop counting *visitor* if others do not come out either; else look again later."""
        loop = asyncio.get_running_loop()
        idle = loop.time() - self._last_out
        if visitor not in self._counted:
            return
        if idle >= self._patience:
            self._discount(visitor)
        else:
            loop.call_later(self._patience - idle, self._look_at, visitor)

    def _discount(self, visitor: object) -> None:
        self._counted.discard(visitor)
        self._free.release()
