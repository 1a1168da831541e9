"""Certainty of figures: machines, doubts, late bytes, the hosts of each key."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add columns with defaults, so that an older collector can go on writing."""
    _add("ledger", _number("told", server_default="0"))
    _add("hosts", _text("machine"), _number("listed_at", nullable=True), _flag("absent"))
    _add("hosts", _number("done", nullable=True), _text("decision"))
    _add("hosts", _number("total", server_default="0"), _number("earliest", nullable=True))
    _add("keys", sa.Column("reach_id", sa.Integer, nullable=True))
    _add("runs", _number("waits", nullable=True), _text("doubt"))
    op.create_table("reaches", sa.Column("id", sa.Integer, primary_key=True), _name("hosts"))
    amounts = _number("up"), _number("down")
    of = _part("host_id", sa.Integer()), _part("key_id", sa.Integer())
    between = _part("since", sa.BigInteger()), _part("until", sa.BigInteger())
    op.create_table("late", *of, *between, *amounts, sqlite_with_rowid=False)
    op.create_index("late_by_time", "late", ["until", "since"])
    counter = _part("run_id", sa.Integer()), _part("user_id", sa.Integer())
    amounts = _number("up"), _number("down")
    op.create_table("waiting", *counter, *amounts, sqlite_with_rowid=False)
    # Until now the ledger knew keys without their hosts.
    op.execute(sa.text("UPDATE keys SET reach_id = 0"))


def _add(table: str, *columns: "sa.Column[Any]") -> None:
    for column in columns:
        op.add_column(table, column)


def _part(name: str, type_: "sa.types.TypeEngine[int]") -> "sa.Column[int]":
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _number(
    name: str, *, nullable: bool = False, server_default: str | None = None
) -> "sa.Column[Any]":
    return sa.Column(name, sa.BigInteger, nullable=nullable, server_default=server_default)


def _text(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.String, nullable=False, server_default="")


def _name(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.String, nullable=False, unique=True)


def _flag(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
