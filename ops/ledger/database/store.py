"""Transactions on the database, repeated while another session holds a lock."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from ops.errors import LedgerError

Answer = TypeVar("Answer")

_PASSING = (
    "locked",
    "busy",
    "deadlock",
    "could not serialize",
    "starting up",
    "connection",
    "timeout",
)
"""Words of database errors that a later attempt can overcome."""
_LASTING = ("authentication", "does not exist", "permission")
"""Words of database errors that stay."""

_NO_ANSWER = "connection timeout expired"
"""The driver's words about a server that does not answer."""


class Store:
    """Transactions on one database."""

    def __init__(self, engine: Engine, patience: float) -> None:
        self.engine = engine
        self.patience = patience
        """Seconds for attempts while the database is locked or down."""

    @property
    def is_sqlite(self) -> bool:
        """Return whether this is SQLite; the other is PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    def written(self, work: Callable[[Connection], Answer]) -> Answer:
        """Return the result of *work* in one transaction; repeat it while the database is locked.

        If the answer to a commit is lost, *work* is done again, so it must be idempotent.
        LedgerError if patience ends, or if the error is one that stays.
        """
        return self._patiently(work, {})

    def once(self, work: Callable[[Connection], Answer]) -> Answer:
        """Do *work* in one transaction and return its result; never repeat it."""
        try:
            with self._transaction({}) as connection:
                return work(connection)
        except DBAPIError as error:
            raise LedgerError(_sentence(error, self.engine.url)) from error

    def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """Return the result of *work*, which reads one snapshot of the database."""
        return self._patiently(work, self._for_reading)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to one snapshot of the database, for reading in pieces."""
        try:
            with self._transaction(self._for_reading) as connection:
                if not self.is_sqlite:  # a reader holds no lock and may be slow
                    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield connection
        except DBAPIError as error:
            raise LedgerError(_sentence(error, self.engine.url)) from error

    @property
    def _for_reading(self) -> dict[str, Any]:
        return {"reading": True} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    def _patiently(self, work: Callable[[Connection], Answer], options: dict[str, Any]) -> Answer:
        until = time.monotonic() + self.patience
        wait = 0.01
        while True:
            try:
                with self._transaction(options) as connection:
                    return work(connection)
            except DBAPIError as error:
                if not _passes(error) or time.monotonic() >= until:
                    raise LedgerError(_sentence(error, self.engine.url)) from error
            time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - only spreads the tries
            wait = min(wait * 2, 1.0)


def _passes(error: DBAPIError) -> bool:
    said = str(error.orig).lower()
    if any(word in said for word in _LASTING):
        return False
    return error.connection_invalidated or (
        isinstance(error, OperationalError) and any(word in said for word in _PASSING)
    )


_DAMAGED = ("malformed", "not a database", "corrupt")
"""SQLite's words about a damaged file."""


def _sentence(error: DBAPIError, url: URL) -> str:
    said = f"says: {' '.join(str(error.orig).split())}"
    if any(word in said for word in _DAMAGED):
        return (
            f"the ledger {url.database} is damaged: its database {said}. Stop `ops collect`, move "
            "the file away, and put the last backup in its place; what the servers still hold is "
            "booked by the next round (docs/runbook.md)"
        )
    if "readonly" in said:
        return (
            f"the ledger {url.database} can only be read here, and this writes it: run this as "
            "the user that runs `ops collect`"
        )
    if "unable to open" in said:
        return (
            f"the ledger {url.database} cannot be read here: it was not closed well. Run "
            "`ops ledger verify` once as the user that runs `ops collect`"
        )
    if _NO_ANSWER in said:
        said = "took no connection in time: see that its server is up, and its address right"
    return (
        f"the ledger's database {said}. Nothing is lost: the servers go on counting, "
        "and what was not booked is booked by the next round that succeeds"
    )
