"""What a host's counters said, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Certainty = Literal["exact", "at least", "unknown"]
"""How sure a figure is."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Payload bytes: *uplink* from client to target, *downlink* back."""

    uplink: int = 0
    downlink: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.uplink + other.uplink, self.downlink + other.downlink)

    def __sub__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.uplink - other.uplink, self.downlink - other.downlink)

    @property
    def total(self) -> int:
        """Return both directions together."""
        return self.uplink + self.downlink


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The counters of one run of the core on one host, at one moment."""

    host: str
    run: str
    """The run's identity, out of the same reply as the counters; empty if the core has none."""
    read_at: datetime
    counting_since: datetime
    """When the run began, to the second."""
    users: Mapping[str, Traffic] = field(default_factory=dict)
    """By the core's user: a key's name, or ``name~2`` for its next generation."""
    inbounds: Mapping[str, Traffic] = field(default_factory=dict)
    outbounds: Mapping[str, Traffic] = field(default_factory=dict)
    """Without the one whose name is the run's identity."""
    way: Literal["socket", "port", "exec", "disk"] = "socket"
    """How the API was reached: forwarded socket or port, or the host's own program; or its disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NicCounters:
    """What a host's network cards counted since it booted, loopback left out."""

    host: str
    boot: str
    """``/proc/sys/kernel/random/boot_id``: the counters live and die with it."""
    read_at: datetime
    received: int
    sent: int


UNKNOWN_MACHINE = "?"
"""The machine of a host whose disk could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that one visit learnt about one host: what the ledger books, at once or not at all."""

    host: str
    now: Reading | None
    """The running core's counters; None where it did not answer."""
    on_disk: tuple[Reading, ...] = ()
    """Readings that the host kept on its disk, of this run and of ended ones (``way="disk"``)."""
    stopped: frozenset[str] = frozenset()
    """The runs among *on_disk* whose stop was planned: their last reading was taken at the stop."""
    listed: bool = False
    """Whether the disk was read, and *on_disk* is all there is that the ledger may lack."""
    nic: NicCounters | None = None
    machine: str = ""
    """The identity of the machine behind the host's name; ``UNKNOWN_MACHINE`` if it could not be
    read, empty if nobody asks for it."""
    begun: frozenset[str] = frozenset()
    """Runs that a rollout of this fleet began on that machine: all they counted is the fleet's."""
    older: frozenset[str] = frozenset()
    """Runs that were there before this fleet's first rollout on that machine."""
    damaged: frozenset[str] = frozenset()
    """Runs whose reading on the disk cannot be read."""
    retired: bool = False
    """Whether no core of the fleet is installed there: nothing can count."""
    up: timedelta | None = None
    """For how long this machine has been up without a pause; None if nobody looked."""

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Return every reading: those from the disk, then that of the running core."""
        return (*self.on_disk, *([self.now] if self.now else ()))
