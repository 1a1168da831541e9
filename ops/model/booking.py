"""The answer of a ledger to one observation."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from ops.model.reading import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What became of one observation."""

    host: str
    outcome: Literal["booked", "needs adoption", "refused"]
    """``needs adoption``: counters older than the ledger's knowledge of the host were left out."""
    traffic: Traffic = field(default_factory=Traffic)
    """What was added."""
    reason: str = ""
    """Why it is not simply ``booked``, in a sentence."""
    problems: tuple[str, ...] = ()
    """Readings that were left out, each with its reason."""
    moved: frozenset[str] = frozenset()
    """Keys, or names of users that are none, that something was added of."""
    resets: tuple[str, ...] = ()
    """Users whose counters fell while the run went on: somebody else resets them."""
    unread: timedelta | None = None
    """How long the host had not been read, if that was too long to say when the bytes moved."""
