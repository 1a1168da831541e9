"""The ledger as JSON lines, for another database, machine or program.

The first line names the format, its version and the zone. Then, for each table, a line
``{"table": ..., "columns": [...]}`` and a line ``[...]`` a row. The last line counts the rows.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from ops.errors import LedgerError
from ops.ledger.database.migrating import NEWEST
from ops.ledger.database.schema import hosts, keys, ledger, metadata, users

FORMAT = "xray-ops ledger"
_AT_ONCE = 2000


def lines(tx: Connection) -> Iterator[str]:
    """Yield the lines of one snapshot of the ledger."""
    zone = tx.execute(select(ledger.c.zone)).scalar_one()
    yield _line({"format": FORMAT, "version": NEWEST, "zone": zone})
    count = 0
    for table in metadata.sorted_tables:
        yield _line({"table": table.name, "columns": [column.name for column in table.columns]})
        order = select(table).order_by(*table.primary_key)
        for row in tx.execution_options(yield_per=_AT_ONCE).execute(order):
            count += 1
            yield _line(list(row))
    yield _line({"rows": count})


def take_in(tx: Connection, source: Iterable[str]) -> int:
    """Write the lines of *source* into an empty ledger; return the number of rows.

    LedgerError if the ledger is not empty, or if *source* is no whole export of the same form.
    """
    for table in (hosts, keys, users):
        if tx.execute(select(func.count()).select_from(table)).scalar():
            raise LedgerError("this ledger is not empty, and two cannot be mixed: import into none")
    numbered = enumerate(source, 1)
    _check_head(tx, numbered)
    tx.execute(ledger.delete())
    count, said = 0, -1
    into = _Into(tx)
    for number, line in numbered:
        value = _parsed(number, line)
        if isinstance(value, list):
            into.add(number, value)
            count += 1
        elif "table" in value:
            into.begin(number, value)
        else:
            said = value.get("rows", -1)
    into.flush()
    if said != count:
        raise LedgerError(f"the export is not whole: it ends after {count} rows; nothing was done")
    _renumber(tx)
    return count


def _check_head(tx: Connection, numbered: Iterator[tuple[int, str]]) -> None:
    head = next((_parsed(number, line) for number, line in numbered), None)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise LedgerError("this is no export of a ledger; nothing was done")
    if head.get("version") != NEWEST:
        raise LedgerError(
            f"the export has form {head.get('version')}, this ops knows {NEWEST}: import it with "
            "the ops that wrote it, into a ledger that this one then brings up to date"
        )
    zone = tx.execute(select(ledger.c.zone)).scalar_one()
    if head.get("zone") != zone:
        raise LedgerError(
            f"the export counts its days in {head.get('zone')}, this ledger in {zone}: write "
            f"zone = {head.get('zone')!r} into hosts.toml, and import into a ledger made after that"
        )


class _Into:
    """Collects rows of one table, and writes them in batches."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._table: Table | None = None
        self._columns: list[str] = []
        self._rows: list[dict[str, Any]] = []

    def begin(self, number: int, head: dict[str, Any]) -> None:
        self.flush()
        self._table = metadata.tables.get(head["table"])
        self._columns = head.get("columns", [])
        if self._table is None or set(self._columns) != {c.name for c in self._table.columns}:
            raise LedgerError(f"line {number}: there is no such table here; nothing was done")

    def add(self, number: int, row: list[Any]) -> None:
        if self._table is None or len(row) != len(self._columns):
            raise LedgerError(f"line {number}: a row that fits no table; nothing was done")
        self._rows.append(dict(zip(self._columns, row, strict=True)))
        if len(self._rows) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if self._table is not None and self._rows:
            self._tx.execute(insert(self._table), self._rows)
        self._rows = []


def _renumber(tx: Connection) -> None:
    """Set PostgreSQL's sequences to the highest numbers written."""
    if tx.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        if "id" in table.c:
            last = f"(SELECT COALESCE(MAX(id), 1) FROM {table.name})"  # noqa: S608 - our own names
            tx.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"))


def _parsed(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise LedgerError(f"line {number} is no JSON; nothing was done") from None


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
