"""One true time, in milliseconds, and the wall clock of the collector's machine.

The product asks several functions for the time. All of them are replaced while a simulation runs.
"""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

ROOMS = (
    "ops.counting.collecting",
    "ops.ledger",
    "ops.reporting",
    "ops.counting.reading",
    "ops.fleet.selection",
)
"""The rooms of the product whose clocks are replaced."""


class Time:
    """The true time; *here* is how far the collector's clock is ahead of it."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.here = 0

    def pass_(self, milliseconds: int) -> None:
        """Let time pass."""
        self.now += milliseconds

    def wall(self) -> datetime:
        """Return the time that the collector's machine shows."""
        return when(self.now + self.here)


class _Current:
    """The time of the simulation that runs in this process."""

    time = Time(0)


def begin(now: int) -> Time:
    """Begin a new time at *now*, and return it."""
    _Current.time = Time(now)
    return _Current.time


def current() -> Time:
    """Return the time of the simulation that runs in this process."""
    return _Current.time


def when(milliseconds: int) -> datetime:
    """Return the moment as a datetime in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class _Datetime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return _Current.time.wall().astimezone(tz)


def _wall() -> float:
    return (_Current.time.now + _Current.time.here) / 1000


def _monotonic() -> float:
    return _Current.time.now / 1000


def _middle(low: float, high: float) -> float:
    return (low + high) / 2


@contextmanager
def simulated() -> Iterator[None]:
    """Replace the clocks, and the jitter, of the product's modules that are loaded."""
    places = _places(len(sys.modules))
    for module, attribute, _, new in places:
        setattr(module, attribute, new)
    try:
        yield
    finally:
        for module, attribute, old, _ in places:
            setattr(module, attribute, old)


@cache
def _places(modules: int) -> list[tuple[Any, str, Any, Any]]:
    """Return what is replaced by what, by module and name, while so many *modules* are loaded."""
    assert modules
    replaced: dict[Any, Any] = {
        datetime: _Datetime,
        time.time: _wall,
        time.monotonic: _monotonic,
        random.uniform: _middle,
    }
    return [
        (module, attribute, old, new)
        for name, module in list(sys.modules.items())
        if name.startswith(ROOMS)
        for attribute, value in list(vars(module).items())
        if callable(value)
        for old, new in replaced.items()
        if value == old
    ]
