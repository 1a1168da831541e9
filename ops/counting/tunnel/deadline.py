"""One deadline for all work on a host."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from ops.errors import HostError


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the clock of the running event loop, and the seconds that it was made from."""

    at: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline *seconds* from now. Call it inside a running event loop."""
        return cls(asyncio.get_running_loop().time() + seconds, seconds)

    @property
    def left(self) -> float:
        """Return the remaining seconds, never below 0."""
        return max(0.0, self.at - asyncio.get_running_loop().time())

    def part(self, share: float) -> Self:
        """Return the deadline after *share*, between 0 and 1, of the remaining time."""
        return type(self)(self.at - self.left * (1 - share), self.seconds)

    @asynccontextmanager
    async def or_fail(self, failure: HostError) -> AsyncIterator[None]:
        """Raise *failure* if the body of the ``async with`` has not ended by the deadline."""
        try:
            async with asyncio.timeout_at(self.at):
                yield
        except TimeoutError:
            raise failure from None
