"""Readings of counters, and the certainty of figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Certainty = Literal["exact", "at least", "unknown"]
"""The certainty of a figure; see docs/glossary.md."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Payload bytes: *uplink* from the client to the target, *downlink* from the target."""

    uplink: int = 0
    downlink: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.uplink + other.uplink, self.downlink + other.downlink)

    def __sub__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.uplink - other.uplink, self.downlink - other.downlink)

    @property
    def total(self) -> int:
        """Return the sum of both directions."""
        return self.uplink + self.downlink


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The counters of one run of the core on one host, at one moment."""

    host: str
    run: str
    """The run's identity from the same reply as the counters; empty if the core has none."""
    read_at: datetime
    counting_since: datetime
    """The start of the run, to the second."""
    users: Mapping[str, Traffic] = field(default_factory=dict)
    """By the core's user: a key's name, or ``name~2`` for the key's second generation."""
    inbounds: Mapping[str, Traffic] = field(default_factory=dict)
    outbounds: Mapping[str, Traffic] = field(default_factory=dict)
    """All outbounds but the one that carries the run's identity."""
    way: Literal["socket", "port", "exec", "disk"] = "socket"
    """The source: the forwarded socket or port of the API, the host's own program, or its disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NicCounters:
    """The bytes of a host's network cards since its boot, without loopback."""

    host: str
    boot: str
    """``/proc/sys/kernel/random/boot_id``: the counters begin at 0 with each boot."""
    read_at: datetime
    received: int
    sent: int


UNKNOWN_MACHINE = "?"
"""The identity of a machine, if the host's disk could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All data from one visit to one host. The ledger books it completely or not at all."""

    host: str
    now: Reading | None
    """The running core's counters; None if it did not answer."""
    on_disk: tuple[Reading, ...] = ()
    """Readings on the host's disk, of the present run and of ended runs (``way="disk"``)."""
    stopped: frozenset[str] = frozenset()
    """The runs in *on_disk* with a planned stop: the last reading was taken at the stop."""
    listed: bool = False
    """Whether the disk was read, and *on_disk* has everything that the ledger can lack."""
    nic: NicCounters | None = None
    machine: str = ""
    """The identity of the host's machine; ``UNKNOWN_MACHINE`` if it could not be read, and empty if
    the visit did not read it."""
    begun: frozenset[str] = frozenset()
    """Runs that a rollout of this fleet began on that machine. All their bytes belong to the
    fleet."""
    older: frozenset[str] = frozenset()
    """Runs on that machine that are older than this fleet's first rollout."""
    damaged: frozenset[str] = frozenset()
    """Runs with a damaged reading on the disk."""
    retired: bool = False
    """Whether no core of the fleet is installed on the host, so that nothing can count."""
    up: timedelta | None = None
    """The time since the machine's boot; None if the visit did not read it."""
    seen_at: datetime | None = None
    """The moment of the visit by the collector's clock; None: the moment of its booking."""

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Return all readings: first from the disk, then from the running core."""
        return (*self.on_disk, *([self.now] if self.now else ()))
