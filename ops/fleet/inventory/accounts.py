"""What hosts.toml may say of the ledger, and of what hosters bill."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ops.fleet.inventory.values import UnfitError
from ops.model import Billing, LedgerSettings

_UNITS: dict[str, int] = {
    unit: factor**power
    for factor, suffix in ((1000, "B"), (1024, "iB"))
    for power, letter in ((3, "G"), (4, "T"), (5, "P"))
    for unit in [letter + suffix]
}
_AMOUNT = re.compile(rf"([0-9]{{1,9}}(?:\.[0-9]{{1,9}})?) ?({'|'.join(_UNITS)})")


def _a_zone(name: str) -> str:
    no_zone = UnfitError("it is no time zone: write one such as Europe/Amsterdam")
    if not re.fullmatch(r"[A-Za-z0-9/_+-]{1,64}", name):
        raise no_zone
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise no_zone from None
    return name


def _a_ledger(url: str) -> str:
    if len(url) > 1000 or not url.isprintable():
        raise UnfitError("write up to 1000 characters, and no control characters")
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        raise ValueError("write sqlite:////path/ledger.db or postgresql+psycopg://user@host/name")
    if re.match(r"[^/]*//[^/@]*:[^/@]*@", url) or "password=" in url:
        raise ValueError("a password does not go into git: use ~/.pgpass, PGPASSWORD or OPS_LEDGER")
    return url


def amount(written: str) -> int:
    """Return the bytes that *written* says; ValueError if it says none.

    >>> amount("20 TB"), amount("1.5 TiB")
    (20000000000000, 1649267441664)
    """
    found = _AMOUNT.fullmatch(written)
    if not found:
        raise ValueError(f"{written!r} is no amount: write one such as 20 TB or 500 GiB")
    whole, _, part = found[1].partition(".")
    scale: int = 10 ** len(part)
    return int(whole + part) * _UNITS[found[2]] // scale


def _an_amount(written: str) -> str:
    try:
        amount(written)
    except ValueError:
        raise UnfitError("it is no amount: write one such as 20 TB or 500 GiB") from None
    return written


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KeepTable(_Table):
    """Days that what is finer than a day is kept."""

    fives: Annotated[int, Field(ge=1, le=3650)] = 2
    hours: Annotated[int, Field(ge=1, le=36500)] = 90
    runs: Annotated[int, Field(ge=100, le=36500)] = 400


class LedgerTable(_Table):
    """Where the ledger is, and how it counts."""

    url: Annotated[str, AfterValidator(_a_ledger)] | None = None
    zone: Annotated[str, AfterValidator(_a_zone)] = "UTC"
    keep: KeepTable = KeepTable()


class BillingTable(_Table):
    """What a hoster bills."""

    day: Annotated[int, Field(ge=1, le=31)] = 1
    direction: Literal["out", "in", "both", "max"] = "out"
    included: Annotated[str, AfterValidator(_an_amount)] | None = None


def ledger_settings(table: LedgerTable) -> LedgerSettings:
    """Return the ledger as the program knows it."""
    keep = table.keep
    return LedgerSettings(
        url=table.url or "",
        zone=table.zone,
        keep_fives=keep.fives,
        keep_hours=keep.hours,
        keep_runs=keep.runs,
    )


def billing(table: BillingTable) -> Billing:
    """Return the hoster's terms as the program knows them."""
    included = amount(table.included) if table.included else None
    return Billing(day=table.day, direction=table.direction, included=included)
