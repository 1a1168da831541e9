"""Ledgers in memory: the real ones, on SQLite, and what each of them was told."""

import sqlite3
from collections.abc import Iterable, Sequence
from copy import deepcopy
from functools import cache
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import StaticPool

import ops.ledger.opening
from ops.ledger import Adopt, Ledger
from ops.ledger.database.engine import _begin
from ops.ledger.database.migrating import migrate
from ops.ledger.database.store import Store
from ops.model import Booked, Observation
from tests.simulation.told import Told
from tests.simulation.world import World


class ToldLedger(Ledger):
    """A ledger that remembers what it was told."""

    world: World
    told: Told

    def enrol(self, hosts: Iterable[str], keys: Iterable[str], **more: Any) -> None:
        hosts, keys = list(hosts), list(keys)
        super().enrol(hosts, keys, **more)
        self.told.enrolled(self.world, hosts, keys)

    def book_all(
        self, observations: Sequence[Observation], adopt: Adopt | None = None
    ) -> list[Booked]:
        answers = super().book_all(observations, adopt)
        if adopt:
            for observation in observations:
                self.told.decided(observation.host, self.world.time.now, adopt)
        self.told.booked(self.world, observations, answers)
        return answers


class Books:
    """A ledger, and the file that it would be."""

    def __init__(self, world: World, place: int, zone: str) -> None:
        self.world = world
        self.engine = _engine(place)
        self._memory.deserialize(_template())
        # Opened by the product, but for the place: no file.
        with patch.object(ops.ledger.opening, "engine_of", lambda *_, **__: self.engine):
            opened = ops.ledger.open_ledger("sqlite:////nowhere", zone=zone, clock=world.time.wall)
        self.ledger = ToldLedger(opened.store, opened.zone, opened.keep, world.time.wall)
        self.ledger.world, self.ledger.told = world, Told(world.time.now)
        self.holder: object = None
        """The collector that holds the lease."""
        self.forgot = 0
        """How often an older copy was put back."""
        self._copy: tuple[bytes, Told] | None = None

    @property
    def told(self) -> Told:
        """Return what this ledger was told."""
        return self.ledger.told

    def back_up(self) -> None:
        """Copy it."""
        self._copy = (
            bytes(self._memory.serialize()),
            deepcopy(self.told, {id(self.world): self.world}),
        )

    def restore(self) -> None:
        """Put the copy back; what was told since is forgotten."""
        if self._copy:
            self._memory.deserialize(self._copy[0])
            self.ledger.told = deepcopy(self._copy[1])
            self.forgot += 1

    @property
    def _memory(self) -> sqlite3.Connection:
        connection: Any = self.engine.raw_connection().driver_connection
        return connection  # type: ignore[no-any-return]


@cache
def _engine(place: int) -> Engine:
    """Return an engine of this process; each *place* is another database."""
    engine = create_engine(
        "sqlite+pysqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    assert place >= 0
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")


@cache
def _template() -> bytes:
    """Return a ledger of the newest form that nobody has begun yet."""
    engine = _engine(99)
    Store(engine, 1.0).written(migrate)
    memory: Any = engine.raw_connection().driver_connection
    return bytes(memory.serialize())
