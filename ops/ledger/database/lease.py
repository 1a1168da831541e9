"""Share the hosts among collectors, so that no host is read twice.

The lease only saves work: two collectors that book the same host add nothing twice. The lease of a
collector ends with its process or its connection.
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
"""Classes of PostgreSQL's advisory locks: a running collector, and a host that one reads."""


class Lease(Protocol):
    """The hosts that one collector holds, until it leaves or dies."""

    def take(self, hosts: Iterable[str]) -> frozenset[str]:
        """Return this collector's part of *hosts* for one round; call it in each round."""

    def __enter__(self) -> "Lease": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class FileLease:
    """SQLite: one collector at a time holds a lock on a file beside the ledger."""

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
        """Return all of *hosts*, or none while another collector holds the lock."""
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
        self._release()

    def take(self, hosts: Iterable[str]) -> frozenset[str]:
        """Return this collector's share of *hosts*; a dead collector's locks are free at once."""
        wanted = sorted(set(hosts))
        try:
            return self._take(wanted)
        except DBAPIError as error:
            self._release()
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
        """Return the connection that holds the locks; a new connection holds none."""
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

    def _release(self) -> None:
        if self._connection is not None:
            with suppress(
                SQLAlchemyError
            ):  # the server notices a dead connection itself, a little later
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        self._held.clear()
