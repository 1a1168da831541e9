"""The ledger and the terms of hosters in hosts.toml."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import UnfitError

_UNITS: dict[str, int] = {
    unit: factor**power
    for factor, suffix in ((1000, "B"), (1024, "iB"))
    for power, letter in ((3, "G"), (4, "T"), (5, "P"))
    for unit in [letter + suffix]
}
_AMOUNT = re.compile(rf"([0-9]{{1,9}}(?:\.[0-9]{{1,9}})?) ?({'|'.join(_UNITS)})")


def _check_zone(name: str) -> str:
    no_zone = UnfitError("it is no time zone: write one such as Europe/Amsterdam")
    if not re.fullmatch(r"[A-Za-z0-9/_+-]{1,64}", name):
        raise no_zone
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise no_zone from None
    return name


def _check_ledger_url(url: str) -> str:
    if len(url) > 1000 or not url.isprintable():
        raise UnfitError("write up to 1000 characters, and no control characters")
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        raise ValueError("write sqlite:////path/ledger.db or postgresql+psycopg://user@host/name")
    if re.match(r"[^/]*//[^/@]*:[^/@]*@", url) or "password=" in url:
        raise ValueError("a password does not go into git: use ~/.pgpass, PGPASSWORD or OPS_LEDGER")
    return url


def amount(text: str) -> int:
    """Return the number of bytes that *text* means; ValueError if it is no amount.

    >>> amount("20 TB"), amount("1.5 TiB")
    (20000000000000, 1649267441664)
    """
    parts = _AMOUNT.fullmatch(text)
    if not parts:
        raise ValueError(f"{text!r} is no amount: write one such as 20 TB or 500 GiB")
    whole, _, fraction = parts[1].partition(".")
    scale: int = 10 ** len(fraction)
    return int(whole + fraction) * _UNITS[parts[2]] // scale


def _check_amount(text: str) -> str:
    try:
        amount(text)
    except ValueError:
        raise UnfitError("it is no amount: write one such as 20 TB or 500 GiB") from None
    return text


LedgerUrl = Annotated[str, AfterValidator(_check_ledger_url)]
"""URL of a database: SQLite or PostgreSQL, without a password."""
Zone = Annotated[str, AfterValidator(_check_zone)]
"""time zone: a name of the IANA time zone database, for example ``Europe/Amsterdam``."""
Amount = Annotated[str, AfterValidator(_check_amount)]
"""amount of bytes: a number and GB, TB, PB, GiB, TiB or PiB."""


class KeepTable(Table):
    """``[ledger.keep]``: the retention of the ledger's fine rows, in days.

    Days and months are never deleted.
    """

    fives: Annotated[int, Field(ge=1, le=3650)] = 2
    """Retention of the rows of five minutes.

    Example: fives = 7
    """
    hours: Annotated[int, Field(ge=1, le=36500)] = 90
    """Retention of the rows of one hour.

    Example: hours = 365
    """
    runs: Annotated[int, Field(ge=100, le=36500)] = 400
    """Retention of the counters of ended runs. The minimum is 100, because hosts store readings for
    90 days.

    Example: runs = 800
    """


class LedgerTable(Table):
    """``[ledger]``: the database of usage."""

    url: LedgerUrl | None = None
    """The database. The default is the SQLite file ``state/ledger.db`` in the fleet's folder. A
    password for PostgreSQL belongs into ``~/.pgpass`` or ``PGPASSWORD``. The environment variable
    ``OPS_LEDGER`` replaces this field.

    Example: url = "postgresql+psycopg://ops@db.example.net/ledger"
    """
    zone: Zone = "UTC"
    """The time zone of the ledger's days and months. It cannot be changed after the first round of
    ``ops collect``.

    Example: zone = "Europe/Amsterdam"
    """
    keep: KeepTable = KeepTable()
    """The retention of fine rows.

    Example: keep = { fives = 7, hours = 365 }
    """


class BillingTable(Table):
    """``[hosts.NAME.billing]``: the terms of the hoster, for ``ops usage --by host --nic``.

    The table can also be written in ``[defaults]`` and in a group.
    """

    day: Annotated[int, Field(ge=1, le=31)] = 1
    """The day of the month on which the hoster's month begins.

    Example: day = 17
    """
    direction: Literal["out", "in", "both", "max"] = "out"
    """The direction that is billed. ``both`` is the sum of both directions, ``max`` is the larger
    one.

    Example: direction = "both"
    """
    included: Amount | None = None
    """The traffic that the price includes in each month.

    Example: included = "20 TB"
    """
