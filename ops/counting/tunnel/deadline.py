"""One moment by which everything about a host is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from ops.errors import HostError


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the running loop's clock, and the seconds it was given as."""

    at: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline *seconds* from now; only inside a running loop."""
        return cls(asyncio.get_running_loop().time() + seconds, seconds)

    @property
    def left(self) -> float:
        """Return the seconds that are left, never below 0."""
        return max(0.0, self.at - asyncio.get_running_loop().time())

    @asynccontextmanager
    async def or_fail(self, failure: HostError) -> AsyncIterator[None]:
        """Raise *failure* if what is inside has not ended by the deadline."""
        try:
            async with asyncio.timeout_at(self.at):
                yield
        except TimeoutError:
            raise failure from None
