"""Copy the ledger while it is in use."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from ops.errors import LedgerError
from ops.files import exists, sentence
from ops.ledger.database.only_reading import connect, is_closed_to_writing
from ops.ledger.database.store import Store


def backup(store: Store, target: Path) -> None:
    """Copy the ledger to *target*, mode 0600. LedgerError if *target* exists or the copy fails."""
    if not store.is_sqlite:
        raise LedgerError(
            "the ledger is in PostgreSQL, whose own tool knows best: pg_dump --format=custom "
            f"--file={target} {store.engine.url.database}"
        )
    try:
        if not target.parent.is_dir():
            raise LedgerError(f"{target.parent}: there is no such folder: make it first")
        if exists(target):
            raise LedgerError(f"{target} is there already: choose another name")
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        error.filename = str(target)
        raise LedgerError(sentence(error)) from None
    os.close(handle)
    try:
        _copy(Path(store.engine.url.database or ""), beside)
        Path(beside).replace(target)
    except sqlite3.Error as error:
        raise LedgerError(f"{target}: the copy failed: {error}") from error
    finally:
        Path(beside).unlink(missing_ok=True)


def _copy(source: Path, target: str) -> None:
    connected = connect if is_closed_to_writing(source) else sqlite3.connect
    with closing(connected(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
