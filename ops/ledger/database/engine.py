"""The URL of the ledger, and the SQLAlchemy engine for it."""

import math
import os
import re
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ops.errors import LedgerError
from ops.files import exists, make_folder, must_be_file, sentence
from ops.ledger.database.only_reading import engine_that_reads, is_closed_to_writing
from ops.model import Fleet

VARIABLE = "OPS_LEDGER"
"""Environment variable with the ledger's URL. It may hold a password; hosts.toml may not."""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-16384",
    "temp_store=MEMORY",
)
_ANSWER = 5
"""Seconds in which PostgreSQL must accept a connection, for each address of its name."""
_SILENT = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""TCP keepalives: a machine that is switched off counts as dead after 25 seconds."""
_UNHEARD = 15_000
"""Milliseconds in which the other end must acknowledge sent data."""
_FROZEN = 60_000
"""Milliseconds that a transaction may be idle, because it locks the rows of its hosts."""


def url_of(where: str | Path | Fleet) -> URL:
    """Return the ledger's URL.

    For a fleet: $OPS_LEDGER, then ``url`` of hosts.toml, then SQLite in the fleet's folder.
    LedgerError if the URL is neither SQLite nor PostgreSQL.
    """
    if isinstance(where, Fleet):
        where = os.environ.get(VARIABLE) or where.ledger.url or where.folder / "state/ledger.db"
    if isinstance(where, Path):
        return URL.create("sqlite+pysqlite", database=str(where.absolute()))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):  # ValueError: the port is no number
        raise LedgerError(_WAYS.format(_without_password(where))) from None
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"):
        raise LedgerError(_WAYS.format(url.drivername))
    sqlite = url.drivername.startswith("sqlite")
    if sqlite and (url.host or url.query):
        raise LedgerError(_WAYS.format(url.render_as_string(hide_password=True)))
    if sqlite and not url.database:
        raise LedgerError("sqlite:// names no file; write sqlite:////the/whole/path/ledger.db")
    return url.set(drivername="sqlite+pysqlite" if sqlite else "postgresql+psycopg")


def _without_password(where: str) -> str:
    return re.sub(r"//([^/@:]*):[^/@]*@", r"//\1:***@", where)


_WAYS = "{!r} is no ledger; write sqlite:////path/ledger.db or postgresql+psycopg://user@host/name"


def engine_of(url: URL, patience: float, *, make: bool = True) -> Engine:
    """Return the engine for *url*. With *make*, a missing SQLite file is created with mode 0600.

    *patience*: seconds that PostgreSQL waits for another session's lock. LedgerError if the file
    is missing and *make* is false.
    """
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if make:
            _make_file(path)
        else:
            _demand_file(path)
        if is_closed_to_writing(path):
            return engine_that_reads(url)
        engine = create_engine(url, connect_args={"timeout": 1.0})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine
    engine = create_engine(url, pool_pre_ping=True, connect_args=_limits(url, patience))
    event.listen(engine, "connect", partial(_set, patience=patience))
    return engine


def _limits(url: URL, patience: float) -> dict[str, Any]:
    """Return libpq's timeouts for a dead server; options in *url* take precedence."""
    ours = {"connect_timeout": max(2, min(_ANSWER, math.ceil(patience)))}
    ours |= {**_SILENT, "tcp_user_timeout": _UNHEARD}
    return {name: limit for name, limit in ours.items() if name not in url.query}


def _set(connection: Any, _: object, *, patience: float) -> None:
    """Make the server release the locks of a collector that froze or lost its machine.

    These are SET statements, because connection poolers refuse them as connection options.
    """
    words = {"lock_timeout": math.ceil(patience * 1000), "tcp_user_timeout": _UNHEARD}
    words |= {"idle_in_transaction_session_timeout": _FROZEN}
    words |= {f"tcp_{name}": seconds for name, seconds in _SILENT.items()}
    # Compiling a query of this ledger takes longer than its answer.
    words |= {"jit": 0}
    with connection.cursor() as cursor:
        cursor.execute("; ".join(f"SET {name} = {word}" for name, word in words.items()))
    connection.commit()


def _make_file(path: Path) -> None:
    try:
        make_folder(path.parent)
        if exists(path):
            must_be_file(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o600)
    except OSError as error:
        raise LedgerError(_CLOSED.format(sentence(error))) from None


def _demand_file(path: Path) -> None:
    try:
        must_be_file(path)
        os.close(os.open(path, os.O_RDONLY))
    except FileNotFoundError:
        raise LedgerError(f"there is no ledger at {path} yet: `ops collect` begins it") from None
    except OSError as error:
        raise LedgerError(_CLOSED.format(sentence(error))) from None


_CLOSED = "the ledger cannot be opened: {}"


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    # The driver must not begin transactions itself, because _begin chooses their kind.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Begin a transaction. One that writes locks at once, before it reads its input."""
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
