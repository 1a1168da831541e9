"""An event loop that never waits: when nothing is left to do, the simulated time jumps."""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

from tests.simulation.clock import current

Answer = TypeVar("Answer")


class StuckError(Exception):
    """Nothing is left to do, and nothing will ever happen."""


class _Selector(selectors.SelectSelector):
    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise StuckError
        if timeout > 0:
            current().pass_(math.ceil(timeout * 1000))
        return []


class _Loop(asyncio.SelectorEventLoop):
    def time(self) -> float:
        return current().now / 1000


@cache
def _loop() -> _Loop:
    return _Loop(_Selector())


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what *work* returns."""
    return _loop().run_until_complete(work)
