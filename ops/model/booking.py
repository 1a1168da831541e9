"""The result of one observation in the ledger."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from ops.model.reading import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """The result of booking one observation."""

    host: str
    outcome: Literal["booked", "needs adoption", "refused"]
    """``needs adoption``: counters that are older than the ledger's first reading of the host were
    not booked."""
    traffic: Traffic = field(default_factory=Traffic)
    """The bytes that were added to the ledger."""
    reason: str = ""
    """The reason in a sentence, if the outcome is not ``booked``."""
    problems: tuple[str, ...] = ()
    """Readings that were not booked, each with the reason."""
    moved: frozenset[str] = frozenset()
    """Keys with added bytes. A user of the core that is no key has its own name here."""
    resets: tuple[str, ...] = ()
    """Users with a counter that fell within a run, because another program resets counters."""
    unread: timedelta | None = None
    """The time since the reading before, if it is too long to tell when the bytes moved."""
