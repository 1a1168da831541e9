"""The settings of the ledger, and the terms of hosters."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """The ledger's database, time zone and retention; see docs/inventory.md."""

    url: str = ""
    """The database's URL without a password. Empty: SQLite in the fleet's folder."""
    zone: str = "UTC"
    """The time zone of days and months. It cannot be changed later."""
    keep_fives: int = 2
    """Retention of rows of five minutes, in days."""
    keep_hours: int = 90
    """Retention of rows of one hour, in days. Days and months are never deleted."""
    keep_runs: int = 400
    """Retention of the counters of ended runs, in days. Hosts store readings for 90 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """The traffic that a hoster bills. The hoster's month begins on *day*."""

    day: int = 1
    direction: Literal["out", "in", "both", "max"] = "out"
    """``both``: the sum of both directions. ``max``: the larger one."""
    included: int | None = None
    """Bytes in each month without extra cost."""
