"""The first form of the ledger."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_names()
    _make_runs()
    for name in ("counters", "baselines"):
        _make_pairs(name, "run_id", "user_id")
    _make_pairs("settled", "host_id", "user_id")
    for name in ("fives", "hours", "days", "months"):
        _make_pairs(name, "key_id", "host_id", of=[_bucket()])
    _make_nics()
    _make_events()
    if op.get_context().dialect.name == "postgresql":
        # All their rows may change in a round: with room beside each, no index has to.
        op.execute("ALTER TABLE counters SET (fillfactor = 50)")
        op.execute("ALTER TABLE fives SET (fillfactor = 50)")


def _make_names() -> None:
    moments = ("created", "rolled", "fives_from", "hours_from")
    op.create_table("ledger", _id(), _text("zone"), *map(_number, moments))
    op.create_table(
        *("hosts", _id(), _text("name", unique=True), _number("known")),
        *(_number("read", nullable=True), sa.Column("run_id", sa.Integer, nullable=True)),
        *(_flag("listed"), _text("adopted"), _number("gone", nullable=True)),
    )
    op.create_table(
        *("keys", _id(), _text("name"), sa.Column("life", sa.Integer, nullable=False)),
        *(_number("born"), _number("gone", nullable=True)),
        sa.UniqueConstraint("name", "life"),
    )
    op.create_table("users", _id(), _text("name", unique=True))


def _make_runs() -> None:
    op.create_table(
        *("runs", _id(), _of("hosts", "host_id"), _text("identity")),
        *(_number("since"), _number("first"), _number("read"), _number("ended", nullable=True)),
        *(_flag("stopped"), _number("reset", nullable=True), _flag("settled")),
        sa.UniqueConstraint("host_id", "identity"),
    )
    op.create_index("runs_by_identity", "runs", ["identity"])


def _make_pairs(name: str, *keys: str, of: "Sequence[sa.Column[int]]" = ()) -> None:
    parts = [*of, *(_part(key) for key in keys), _number("up"), _number("down")]
    op.create_table(name, *parts, sqlite_with_rowid=False)


def _make_nics() -> None:
    amounts = ("received", "sent")
    op.create_table(
        *("nics", _part("host_id"), _text("boot", primary_key=True)),
        *map(_number, amounts),
        sqlite_with_rowid=False,
    )
    op.create_table(
        *("nic_days", _bucket(), _part("host_id")),
        *map(_number, amounts),
        sqlite_with_rowid=False,
    )


def _make_events() -> None:
    op.create_table(
        *("gaps", _id(), _of("hosts", "host_id"), _text("kind")),
        *(_number("since"), _number("until")),
    )
    op.create_index("gaps_by_time", "gaps", ["until", "since"])
    op.create_table(
        *("marks", _id(), _of("keys", "key_id"), _number("at")),
        *(_number("since"), _number("up"), _number("down")),
        _text("token", unique=True),
    )
    op.create_index("marks_by_key", "marks", ["key_id", "at"])


def _id() -> "sa.Column[int]":
    return sa.Column("id", sa.Integer, primary_key=True)


def _of(table: str, name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False)


def _part(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False, nullable=False)


def _bucket() -> "sa.Column[int]":
    return sa.Column("t", sa.BigInteger, primary_key=True, autoincrement=False)


def _number(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, unique: bool = False, primary_key: bool = False) -> "sa.Column[str]":
    key = primary_key
    return sa.Column(name, sa.String, nullable=False, primary_key=key, unique=unique or None)


def _flag(name: str) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean, nullable=False)
