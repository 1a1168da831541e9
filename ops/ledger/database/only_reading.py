"""Open a ledger's file that this user may read but not write.

In WAL mode SQLite has an index file beside the ledger, and each reader locks it. If this user may
not write the folder, there are two cases:

* The index exists, because a collector is running or crashed: SQLite reads with it.
* It does not exist, because the ledger was closed: the file is opened as ``immutable``. A writer
  can still change the file, so a transaction during a change fails and is tried again.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

_PRAGMAS = ("query_only=ON", "cache_size=-16384", "temp_store=MEMORY")
_STAMP = "ops_stamp"


def is_closed_to_writing(path: Path) -> bool:
    """Return whether this user may not write the ledger's file *path* or its folder."""
    file = os.access(path, os.R_OK | os.W_OK)
    return not (file and os.access(path.parent, os.W_OK | os.X_OK))


def connect(path: Path, **settings: Any) -> sqlite3.Connection:
    """Return a read-only connection to the ledger in the file *path*."""
    way = "mode=ro" if _is_in_use(path) else "mode=ro&immutable=1"
    uri = f"file:{quote(str(path.absolute()))}?{way}"
    connection: sqlite3.Connection = sqlite3.connect(uri, uri=True, timeout=1.0, **settings)
    return connection


def engine_that_reads(url: URL) -> Engine:
    """Return an engine for *url* that raises OperationalError on writing transactions."""
    path = Path(url.database or "")
    engine = create_engine(
        url, creator=lambda: connect(path, check_same_thread=False), poolclass=NullPool
    )

    def prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        record.info[_STAMP] = None if _is_in_use(path) else _stamp(path)

    def check(connection: Connection) -> None:
        if connection.info[_STAMP] not in (None, _stamp(path)):
            changed = sqlite3.OperationalError("database is busy: it changed while it was read")
            raise OperationalError("COMMIT", None, changed)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "commit", check)
    return engine


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("reading"):
        raise OperationalError("BEGIN", None, sqlite3.OperationalError("a readonly database"))
    connection.exec_driver_sql("BEGIN")


def _is_in_use(path: Path) -> bool:
    """Return whether SQLite's log or index lies beside the ledger's file."""
    beside = (path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))
    return any(file.exists() for file in beside)


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
