"""The tables. Moments are milliseconds, buckets seconds since 1970 in UTC; traffic is bytes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
)

metadata = MetaData()


def _moment(name: str, *, may_lack: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=may_lack)


def _amount(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _of(table: str, name: str) -> Column[int]:
    return Column(name, Integer, ForeignKey(f"{table}.id"), nullable=False)


def _number(name: str) -> Column[int]:
    """Return a part of the key of a large table: a reference that no row is checked for.

    Millions of rows a round would be looked up once more each; `ops ledger verify` does it.
    """
    return Column(name, Integer, primary_key=True, autoincrement=False, nullable=False)


ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("zone", String, nullable=False),
    _moment("created"),
    Column("rolled", BigInteger, nullable=False),
    Column("fives_from", BigInteger, nullable=False),
    Column("hours_from", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False, server_default="0"),
)
"""One row. Buckets before *rolled* are also summed into hours, days and months. Fives and hours
before *fives_from* and *hours_from* were deleted. *told* is when the inventory was last told."""

hosts = Table(
    "hosts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    _moment("known"),
    _moment("read", may_lack=True),
    Column("run_id", Integer, nullable=True),
    Column("listed", Boolean, nullable=False),
    Column("adopted", String, nullable=False),
    _moment("gone", may_lack=True),
    Column("machine", String, nullable=False, server_default=""),
    _moment("listed_at", may_lack=True),
    Column("absent", Boolean, nullable=False, server_default=false()),
    _moment("done", may_lack=True),
    Column("decision", String, nullable=False, server_default=""),
    Column("total", BigInteger, nullable=False, server_default="0"),
    _moment("earliest", may_lack=True),
    Column("address", String, nullable=False, server_default=""),
    _moment("addressed", may_lack=True),
)
"""*read*: the moment of the last booked reading; *run_id*: the newest run at that moment.
*listed*, *listed_at*: whether and when its whole disk was read. *machine*: the machine behind the
name. *absent*: the inventory wants no core there. *done*: when it was seen without a core and with
nothing left to fetch. *decision*: the adoption that its first reading waits for. *total*: all
bytes that it ever showed, booked or in doubt. *earliest*: when the inventory was told before it
named the host; a rollout may have begun it since. *address*, *addressed*: the place that the name
stands for, and since when."""

keys = Table(
    "keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("life", Integer, nullable=False),
    _moment("born"),
    _moment("gone", may_lack=True),
    Column("reach_id", Integer, nullable=True),
    UniqueConstraint("name", "life"),
)
"""A key that was deleted and made again has a second life: it does not inherit the first.
*reach_id*: the hosts that it was ever allowed to open; ``EVERYWHERE``, or NULL if never told."""

EVERYWHERE = 0
"""The reach of a key that was told without its hosts: every host."""

reaches = Table(
    "reaches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hosts", String, nullable=False, unique=True),
)
"""Sets of hosts: their numbers in ascending order, with commas. Many keys share one."""

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)
"""The core's users: ``alice`` and ``alice~2`` are two."""

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    _of("hosts", "host_id"),
    Column("identity", String, nullable=False),
    _moment("since"),
    _moment("first"),
    _moment("read"),
    _moment("ended", may_lack=True),
    Column("stopped", Boolean, nullable=False),
    _moment("reset", may_lack=True),
    Column("settled", Boolean, nullable=False),
    Column("closed", Boolean, nullable=False, server_default=false()),
    _moment("waits", may_lack=True),
    Column("doubt", String, nullable=False, server_default=""),
    UniqueConstraint("host_id", "identity"),
    Index("runs_by_identity", "identity"),
)
"""*first* and *read*: its first and last reading; *ended*: the latest it can have ended; *closed*:
all that its host ever kept of it is booked. *waits*: its baselines hold bytes that it had counted
until then, and nobody has decided whether they belong to the fleet; *doubt* says why. A run that
is read under two host names has a row for each: see ``booking``."""

counters = Table(
    "counters",
    metadata,
    _number("run_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The highest seen. Usage is their sum, less the baselines, and what was settled."""

baselines = Table(
    "baselines",
    metadata,
    _number("run_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The part of its counters that is no usage under this name."""

waiting = Table(
    "waiting",
    metadata,
    _number("run_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The part of the baselines of runs in doubt that becomes usage if somebody decides so."""

settled = Table(
    "settled",
    metadata,
    _number("host_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The sum of runs that ended so long ago that no host can show them again."""


def _buckets(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("t", BigInteger, primary_key=True, autoincrement=False),
        _number("key_id"),
        _number("host_id"),
        _amount("up"),
        _amount("down"),
        sqlite_with_rowid=False,
    )


fives = _buckets("fives")
hours = _buckets("hours")
days = _buckets("days")
months = _buckets("months")

late = Table(
    "late",
    metadata,
    _number("host_id"),
    _number("key_id"),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger, primary_key=True, autoincrement=False),
    _amount("up"),
    _amount("down"),
    Index("late_by_time", "until", "since"),
    sqlite_with_rowid=False,
)
"""Bytes that moved at some time between *since* and *until*, and were read at *until*. They are in
the buckets, too: here they are told apart where a span ends in between."""

nics = Table(
    "nics",
    metadata,
    _number("host_id"),
    Column("boot", String, primary_key=True),
    _amount("received"),
    _amount("sent"),
    sqlite_with_rowid=False,
)
"""The highest that a host's network cards counted, a row a boot."""

nic_days = Table(
    "nic_days",
    metadata,
    Column("t", BigInteger, primary_key=True, autoincrement=False),
    _number("host_id"),
    _amount("received"),
    _amount("sent"),
    sqlite_with_rowid=False,
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Integer, primary_key=True),
    _of("hosts", "host_id"),
    Column("kind", String, nullable=False),
    _moment("since"),
    _moment("until"),
    Index("gaps_by_time", "until", "since"),
)
"""``uncounted``: counted before the ledger knew the host, left out on request. ``replaced`` and
``before``: another machine may have counted. ``unread``: only from ledgers before form 3."""

marks = Table(
    "marks",
    metadata,
    Column("id", Integer, primary_key=True),
    _of("keys", "key_id"),
    _moment("at"),
    _moment("since"),
    _amount("up"),
    _amount("down"),
    Column("token", String, nullable=False, unique=True),
    Index("marks_by_key", "key_id", "at"),
)
"""A reset for people: what the key had used at that moment, as far as its hosts had been read;
the one of them that had waited longest was read *since*."""
