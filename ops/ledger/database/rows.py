"""What the ledger knows of hosts and runs, as rows read under lock, and what booking answers."""

from dataclasses import dataclass
from typing import Literal

from ops.model import UNKNOWN_MACHINE

Adopt = Literal["count", "baseline"]
"""What to do with counters older than the ledger's knowledge of the host: bill them, or not."""


@dataclass(slots=True, kw_only=True)
class HostRow:
    """A host's row, locked."""

    id: int
    name: str
    known: int
    read: int | None
    run_id: int | None
    listed: bool
    adopted: str
    gone: int | None = None
    machine: str = ""
    listed_at: int | None = None
    absent: bool = False
    done: int | None = None
    decision: str = ""
    total: int = 0
    earliest: int | None = None
    address: str = ""
    addressed: int | None = None

    @property
    def placed(self) -> int:
        """Return since when the ledger knows the name and the place that it stands for."""
        return max(self.known, self.addressed or 0)

    @property
    def knows_machine(self) -> bool:
        """Return whether the machine behind the name was ever told."""
        return self.machine not in ("", UNKNOWN_MACHINE)

    @property
    def was_listed(self) -> bool:
        """Return whether the whole disk of this machine was ever read."""
        return self.listed or self.listed_at is not None


@dataclass(slots=True, kw_only=True)
class RunRow:
    """A run's row; *id* is 0 until it is written."""

    id: int = 0
    host_id: int
    identity: str
    since: int
    first: int
    read: int
    ended: int | None = None
    stopped: bool = False
    reset: int | None = None
    settled: bool = False
    closed: bool = False
    waits: int | None = None
    doubt: Literal["", "look", "asked"] = ""

    @property
    def asks(self) -> bool:
        """Return whether somebody must decide about bytes of it."""
        return self.doubt == "asked" and self.waits is not None
