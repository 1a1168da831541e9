"""Rows of hosts and runs, as a transaction reads them under lock and changes them."""

from dataclasses import dataclass
from typing import Literal

from ops.model import UNKNOWN_MACHINE

Adopt = Literal["count", "baseline"]
"""Adoption: ``count`` adds counters from before the ledger knew the host, ``baseline`` does not."""


@dataclass(slots=True, kw_only=True)
class HostRow:
    """The row of one host; :data:`~ops.ledger.database.schema.hosts` explains the columns."""

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
    ruled: str = ""

    @property
    def earliest_run(self) -> int:
        """Return the earliest moment at which a run of the fleet can have begun on the host."""
        return min(self.known, self.earliest or self.known)

    @property
    def placed(self) -> int:
        """Return the moment from which the ledger knows the name and its present address."""
        return max(self.known, self.addressed or 0)

    @property
    def knows_machine(self) -> bool:
        """Return whether the id of the machine is known."""
        return self.machine not in ("", UNKNOWN_MACHINE)

    @property
    def was_listed(self) -> bool:
        """Return whether all readings on this machine's disk were ever read."""
        return self.listed or self.listed_at is not None


@dataclass(slots=True, kw_only=True)
class RunRow:
    """The row of one run; *id* is 0 until it is written."""

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
        """Return whether an operator must decide about bytes of this run."""
        return self.doubt == "asked" and self.waits is not None
