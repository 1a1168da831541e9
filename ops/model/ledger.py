"""What the fleet says of its ledger, and of what its hosts are billed."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """Where the ledger is, in whose days it counts, and how long it keeps the finer ones."""

    url: str = ""
    """Without a password; empty: SQLite in the fleet's folder."""
    zone: str = "UTC"
    """The time zone of its days and months; it cannot be changed later."""
    keep_fives: int = 2
    """Days that buckets of five minutes are kept."""
    keep_hours: int = 90
    """Days that hours are kept; days and months are for ever."""
    keep_runs: int = 400
    """Days that the counters of ended runs are kept apart; hosts keep readings for 90."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """What a hoster bills: its month begins on *day*, and some of the card's bytes are included."""

    day: int = 1
    direction: Literal["out", "in", "both", "max"] = "out"
    """``max``: the larger of the two."""
    included: int | None = None
    """Bytes a month."""
