"""Write many rows at once, in the fast way of each database."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite

_LINES = 10_000
_NAMED = 5000
Row = tuple[int | str, ...]
Item = TypeVar("Item")


def in_parts(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Cut *items* into parts, because databases limit the parameters of one statement."""
    return [items[start : start + _NAMED] for start in range(0, len(items), _NAMED)]


def add_missing(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert *rows*; skip each row that conflicts with an existing one."""
    if rows:
        made = postgresql.insert(table) if _is_postgres(tx) else sqlite.insert(table)
        tx.execute(made.on_conflict_do_nothing(), list(rows))


def raise_to(tx: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Upsert *rows* (key columns, then amounts); the new amount replaces the old one."""
    _upsert(tx, table, rows, "{name} = excluded.{name}")


def add_to(tx: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Upsert *rows* (key columns, then amounts); the new amount is added to the old one."""
    _upsert(tx, table, rows, "{name} = {table}.{name} + excluded.{name}")


def conflict(table: Table, change: str = "{name} = {table}.{name} + excluded.{name}") -> str:
    """Return the ON CONFLICT clause of an INSERT into *table*; *change* is one column's SET."""
    key = ", ".join(column.name for column in table.primary_key)
    amounts = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(change.format(name=name, table=table.name) for name in amounts)
    return f"ON CONFLICT ({key}) DO UPDATE SET {changes}"


def _upsert(tx: Connection, table: Table, rows: Sequence[Row], change: str) -> None:
    if not rows:
        return
    columns = ", ".join(column.name for column in table.columns)
    into = f"INSERT INTO {table.name} ({columns}) "
    if not _is_postgres(tx):
        marks = ", ".join("?" * len(table.columns))
        # Rows are in the order of the key, so SQLite visits each page once.
        ordered = sorted(rows)
        tx.exec_driver_sql(f"{into} VALUES ({marks}) {conflict(table, change)}", ordered)
        return
    _copy(tx, table, columns, rows)
    tx.execute(text(f"{into} SELECT {columns} FROM incoming {conflict(table, change)}"))  # noqa: S608 - names of our own tables
    tx.execute(text("DROP TABLE incoming"))


def _copy(tx: Connection, table: Table, columns: str, rows: Sequence[Row]) -> None:
    """COPY *rows* into a temporary table. Rows of numbers go as one text, which is faster."""
    like = f"SELECT {columns} FROM {table.name} LIMIT 0"  # noqa: S608 - names of our own tables
    tx.execute(text(f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS {like}"))
    driver: Any = tx.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY incoming ({columns}) FROM STDIN") as copy:
        if isinstance(rows[0][1], int):
            for start in range(0, len(rows), _LINES):
                part = rows[start : start + _LINES]
                copy.write("".join(["\t".join(map(str, row)) + "\n" for row in part]))
        else:
            for row in rows:
                copy.write_row(row)


def _is_postgres(tx: Connection) -> bool:
    return tx.dialect.name == "postgresql"
