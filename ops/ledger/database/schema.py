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
    """Return a column of the primary key of a large table.

    It is no foreign key, because that would cost a lookup per row. `ops ledger verify` checks it.
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
before *fives_from* and *hours_from* were deleted. *told*: the last moment of `enrol`."""

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
    Column("ruled", String, nullable=False, server_default=""),
)
"""*known*, *gone*: when the inventory began and ceased to name the host. *read*: the
moment of the last booked reading; *run_id*: the newest run at that moment. *listed*, *listed_at*:
whether and when all readings on its disk were read. *machine*: the id of the machine. *absent*: the
inventory wants no core there. *done*: the visit that found nothing left to fetch.
*decision*: an operator's adoption, stored for the first reading. *total*: all bytes that it ever
showed, booked or in doubt. *earliest*: the last moment at which the inventory did not name the
host; a rollout can have begun it since. *address*, *addressed*: its address, and since when.
*ruled*: the person who last ruled out doubts about it, and when."""

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
"""A key that was deleted and made again has a second life, without the usage of the first.
*reach_id*: the hosts that it ever could open; ``EVERYWHERE``, or NULL if unknown."""

EVERYWHERE = 0
"""The reach of a key without a list of hosts: every host."""

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
"""The core's users: ``alice`` and ``alice~2`` are two users of one key."""

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
"""*first*, *read*: its first and last reading. *ended*: the latest possible end. *closed*: it
ended and is fully booked. *reset*: somebody else reset its counters after this moment.
*waits*: its baselines hold bytes that it had counted until this moment, and no operator has decided
about them; *doubt* gives the reason. A run that was read under two host names has two rows: see
``booking``."""

counters = Table(
    "counters",
    metadata,
    _number("run_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The highest values seen. Usage is the sum of counters and settled, less the baselines."""

baselines = Table(
    "baselines",
    metadata,
    _number("run_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The part of the counters of a run that is not usage under this host name."""

waiting = Table(
    "waiting",
    metadata,
    _number("run_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The part of the baselines that becomes usage if the operator adopts it by ``count``."""

settled = Table(
    "settled",
    metadata,
    _number("host_id"),
    _number("user_id"),
    _amount("up"),
    _amount("down"),
    sqlite_with_rowid=False,
)
"""The sum of runs that ended too long ago for any host to show them again."""


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
"""Bytes that moved between *since* and *until*, and were read at *until*. The buckets hold them,
too; this table tells them apart for spans that begin or end in between."""

nics = Table(
    "nics",
    metadata,
    _number("host_id"),
    Column("boot", String, primary_key=True),
    _amount("received"),
    _amount("sent"),
    sqlite_with_rowid=False,
)
"""The highest counters of a host's network cards, one row per boot."""

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
"""``uncounted``: the operator left out bytes from before the ledger knew the host. ``replaced``,
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
"""A reset for people. *up*, *down*: the usage of the key at that moment, as far as its hosts had
been read. *since*: the oldest of the last readings of these hosts."""
