"""Who collects what: advice among collectors, so that no host is read twice for nothing.

It is only advice: booking is right whoever does it. A collector that dies lets go by dying.
"""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol
from zlib import crc32

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ops.errors import LedgerError
from ops.files import exists, must_be_file, sentence
from ops.ledger.database.store import Store

_PRESENT, _HOST = 0x6F707331, 0x6F707332
"""Classes of PostgreSQL's advisory locks: a collector that is there, a host that is taken."""


class Lease(Protocol):
    """What one collector holds until it lets go or dies."""

    def take(self, hosts: Iterable[str]) -> frozenset[str]:
        """Return which of *hosts* are this collector's in the next round; ask each round anew."""

    def __enter__(self) -> "Lease": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class FileLease:
    """SQLite: one collector at a time, by a lock on a file beside the ledger."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.collector")
        self._handle: int | None = None

    def __enter__(self) -> "FileLease":
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def take(self, hosts: Iterable[str]) -> frozenset[str]:
        """Return all of *hosts*, or none while another collector is there."""
        if self._handle is None:
            handle = self._opened()
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return frozenset()
            self._handle = handle
        return frozenset(hosts)

    def _opened(self) -> int:
        try:
            if exists(self._path):
                must_be_file(self._path)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(f"no collector can take its turn: {sentence(error)}") from None


class SharedLease:
    """PostgreSQL: each collector there holds its share; locks end with the connection."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Connection | None = None
        self._held: set[str] = set()

    def __enter__(self) -> "SharedLease":
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def take(self, hosts: Iterable[str]) -> frozenset[str]:
        """Return this collector's share of *hosts*; what the dead held is free at once."""
        wanted = sorted(set(hosts))
        try:
            return self._take(wanted)
        except DBAPIError as error:
            self._let_go()
            said = " ".join(str(error.orig).split())
            raise LedgerError(f"the ledger's database is away: {said}") from error

    def _take(self, wanted: list[str]) -> frozenset[str]:
        connection = self._present()
        others = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :c "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        there = connection.execute(text(others), {"c": _PRESENT}).scalar_one()
        share = -(-len(wanted) // max(1, there))
        for host in sorted(self._held - set(wanted)) + sorted(self._held)[share:]:
            if host in self._held:
                self._ask("pg_advisory_unlock", host)
                self._held.discard(host)
        for host in wanted:
            if len(self._held) >= share:
                break
            if host not in self._held and self._ask("pg_try_advisory_lock", host):
                self._held.add(host)
        return frozenset(self._held)

    def _present(self) -> Connection:
        """Return the connection that holds the locks; a new one holds none yet."""
        if self._connection is None or self._connection.closed:
            self._held.clear()
            self._connection = self._store.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
            mine = "SELECT pg_advisory_lock(CAST(:c AS int), pg_backend_pid())"
            self._connection.execute(text(mine), {"c": _PRESENT})
        return self._connection

    def _ask(self, function: str, host: str) -> bool:
        assert self._connection  # noqa: S101
        number = crc32(host.encode()) - 2**31
        asked = text(f"SELECT {function}(CAST(:c AS int), CAST(:n AS int))")
        return bool(self._connection.execute(asked, {"c": _HOST, "n": number}).scalar())

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):  # else the server notices by itself, a little later
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        self._held.clear()
