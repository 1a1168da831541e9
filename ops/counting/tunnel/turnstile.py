"""Let some in at a time, and let nobody who merely waits keep others out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turnstile:
    """At most *width* at once are inside, unless they are only waiting.

    Whoever is inside for *patience* seconds no longer counts when nobody has come out for that
    long either, and in any case after twice as long: it waits for its host, however slow or dead
    that is, and must not delay the others.
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
        expiry = loop.call_later(self._patience, self._look_at, visitor, loop.time())
        try:
            yield
        finally:
            expiry.cancel()
            if visitor in self._counted:
                self._last_out = loop.time()
                self._discount(visitor)

    def _look_at(self, visitor: object, entered: float) -> None:
        """Stop counting *visitor* once it only waits; until then, look again later."""
        if visitor not in self._counted:
            return
        loop = asyncio.get_running_loop()
        until = min(self._last_out + self._patience, entered + 2 * self._patience)
        if loop.time() >= until:
            self._discount(visitor)
        else:
            loop.call_at(until, self._look_at, visitor, entered)

    def _discount(self, visitor: object) -> None:
        self._counted.discard(visitor)
        self._free.release()
