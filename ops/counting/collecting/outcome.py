"""What came of one round of collecting."""

from dataclasses import dataclass, field
from datetime import datetime

from ops.errors import HostError
from ops.model import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One round: what was read and booked, and what was not; partial failure is a value."""

    began: datetime
    seconds: float
    asked: int = 0
    """Hosts that were ours to read."""
    elsewhere: int = 0
    """Hosts that other collectors on the same ledger read."""
    read: tuple[str, ...] = ()
    """Hosts whose core answered."""
    failures: tuple[HostError, ...] = ()
    """Hosts whose core did not; what they keep on their disk may be booked all the same."""
    booked: Traffic = field(default_factory=Traffic)
    """What this round added to the ledger."""
    unadopted: tuple[str, ...] = ()
    """Hosts with counters older than the ledger's knowledge of them, in sentences."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What may be as it should: users whom the inventory no longer names."""
    ledger_error: str = ""
    """Why nothing, or not all, is in the ledger."""
