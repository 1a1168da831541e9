"""Sum up a round of collecting while it runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ops.counting.collecting.clocks import clock_warnings
from ops.counting.collecting.roster import Targets
from ops.errors import HostError, LedgerError
from ops.model import Booked, Host, Traffic
from ops.model.phrases import listed

if TYPE_CHECKING:
    from ops.counting.collecting.visiting import Visit

_MOST = 20
"""Names in a sentence."""
_RETIRED = "it has no core, and nothing is left to fetch: it can be deleted from hosts.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The result of one round. Failures of hosts and of the ledger are values, not exceptions."""

    began: datetime
    seconds: float
    asked: int = 0
    """Number of hosts that this collector read."""
    elsewhere: int = 0
    """Number of hosts that other collectors on the same ledger read."""
    read: tuple[str, ...] = ()
    """Hosts with a core that answered."""
    failures: tuple[HostError, ...] = ()
    """One for each host without an answer of its core. Its last readings may still be booked."""
    booked: Traffic = field(default_factory=Traffic)
    """Traffic that this round added to the ledger."""
    unadopted: tuple[str, ...] = ()
    """Sentences: hosts with counters from before the ledger knew them."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences that need no action, such as users that the inventory no longer names."""
    ledger_error: str = ""
    """The reason why the ledger lacks a part of this round; empty if it has all."""


@dataclass
class RoundSummary:
    """The results of a round so far: add visits and bookings, then call collected()."""

    targets: Targets
    wanted: Sequence[Host] = ()
    """The hosts that some collector should read in this round."""
    asked: int = 0
    """Number of them that this collector reads."""
    ledger_error: str = ""
    _failures: dict[str, HostError] = field(default_factory=dict)
    _read: list[str] = field(default_factory=list)
    _warnings: list[str] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _unadopted: list[str] = field(default_factory=list)
    _clocks: dict[str, float] = field(default_factory=dict)
    _traffic: Traffic = field(default_factory=Traffic)

    def add_visit(self, host: Host, outcome: "Visit | HostError") -> None:
        """Add the outcome of the visit to *host*."""
        if isinstance(outcome, HostError):
            self._failures[host.name] = outcome
            return
        if host.state == "absent" and outcome.observation.retired:
            self._notes.append(f"{host.name}: {_RETIRED}")
        elif outcome.failure:
            self._failures[host.name] = outcome.failure
        if outcome.observation.now:
            self._read.append(host.name)
        self._warnings += [f"{host.name}: {warning}" for warning in outcome.warnings]
        self._clocks[host.name] = outcome.clock_ahead

    def add_booking(self, answer: Booked | LedgerError) -> None:
        """Add the ledger's answer to the observation of one host."""
        if isinstance(answer, LedgerError):
            self.ledger_error = str(answer)
            return
        self._traffic += answer.traffic
        self._notes += self._unknown_users(answer)
        if answer.outcome == "needs adoption":
            self._unadopted.append(f"{answer.host}: {answer.reason}")
        self._warnings += [f"{answer.host}: not booked: {reason}" for reason in answer.problems]
        if answer.resets:
            names = listed(answer.resets, _MOST)
            self._warnings.append(f"{answer.host}: somebody else resets counters: {names}")

    def collected(self, began: datetime, seconds: float) -> Collected:
        """Return the result of the round, which *began* then and took *seconds*."""
        order = [host.name for host in self.wanted]
        warnings = [*self._warnings, *clock_warnings(self._clocks)]
        return Collected(
            began=began,
            seconds=seconds,
            asked=self.asked,
            elsewhere=0 if self.ledger_error else len(order) - self.asked,
            read=tuple(sorted(self._read, key=order.index)),
            failures=tuple(self._failures[name] for name in order if name in self._failures),
            booked=self._traffic,
            unadopted=tuple(sorted(self._unadopted)),
            warnings=(*self.targets.warnings, *sorted(warnings)),
            notes=tuple(sorted(self._notes)),
            ledger_error=self.ledger_error,
        )

    def _unknown_users(self, answer: Booked) -> Iterator[str]:
        """Yield a note if users that the inventory does not name moved bytes in this round."""
        known = {key.name for key in self.targets.fleet.keys}
        if unknown := sorted(answer.moved - known):
            names = listed(unknown, _MOST)
            yield f"{answer.host}: counts users that are not in the inventory: {names}"
