"""Sum up a round while it goes on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ops.counting.collecting.clocks import told
from ops.counting.collecting.outcome import Collected
from ops.counting.collecting.roster import Muster
from ops.counting.collecting.visiting import Visit
from ops.errors import HostError, LedgerError
from ops.model import Booked, Host, Traffic
from ops.model.phrases import listed

_MOST = 20
"""Names in a sentence."""


@dataclass
class Harvest:
    """The results of a round so far."""

    muster: Muster
    wanted: Sequence[Host] = ()
    """The hosts that somebody should read in this round."""
    asked: int = 0
    ledger_error: str = ""
    _failures: dict[str, HostError] = field(default_factory=dict)
    _read: list[str] = field(default_factory=list)
    _warnings: list[str] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _unadopted: list[str] = field(default_factory=list)
    _ahead: dict[str, float] = field(default_factory=dict)
    _traffic: Traffic = field(default_factory=Traffic)

    def visited(self, host: Host, outcome: Visit | HostError) -> None:
        """Take note of one host's visit."""
        if isinstance(outcome, HostError):
            self._failures[host.name] = outcome
            return
        leaving = host.state == "absent"
        if leaving and outcome.observation.retired:
            self._notes.append(f"{host.name}: {_DONE}")
        elif outcome.failure:
            self._failures[host.name] = outcome.failure
        if outcome.observation.now:
            self._read.append(host.name)
        self._warnings += [f"{host.name}: {trouble}" for trouble in outcome.troubles]
        self._ahead[host.name] = outcome.ahead

    def booked(self, answer: Booked | LedgerError) -> None:
        """Take note of the ledger's answer to one host's observation."""
        if isinstance(answer, LedgerError):
            self.ledger_error = str(answer)
            return
        self._traffic += answer.traffic
        self._notes += self._strangers(answer)
        if answer.outcome == "needs adoption":
            self._unadopted.append(f"{answer.host}: {answer.reason}")
        self._warnings += [f"{answer.host}: not booked: {why}" for why in answer.problems]
        if answer.resets:
            names = listed(answer.resets, _MOST)
            self._warnings.append(f"{answer.host}: somebody else resets counters: {names}")

    def collected(self, began: datetime, seconds: float) -> Collected:
        """Return the sum of it all."""
        order = [host.name for host in self.wanted]
        trouble = [self.muster.trouble] if self.muster.trouble else []
        return Collected(
            began=began,
            seconds=seconds,
            asked=self.asked,
            elsewhere=0 if self.ledger_error else len(order) - self.asked,
            read=tuple(sorted(self._read, key=order.index)),
            failures=tuple(self._failures[name] for name in order if name in self._failures),
            booked=self._traffic,
            unadopted=tuple(sorted(self._unadopted)),
            warnings=(*trouble, *sorted([*self._warnings, *told(self._ahead)])),
            notes=tuple(sorted(self._notes)),
            ledger_error=self.ledger_error,
        )

    def _strangers(self, answer: Booked) -> Iterator[str]:
        """Yield a note where users that the inventory does not name moved bytes just now."""
        named = {key.name for key in self.muster.fleet.keys}
        if others := sorted(answer.moved - named):
            said = "counts users that are not in the inventory"
            yield f"{answer.host}: {said}: {listed(others, _MOST)}"


_DONE = "it has no core, and nothing is left to fetch: it can be deleted from hosts.toml"
