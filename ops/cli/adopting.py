"""``ops collect --adopt``: decide about counters that are older than the ledger's knowledge.

The decision is stored in the ledger, so it holds while another collector reads the hosts.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ops.cli import ledger_access
from ops.cli.options import Selected
from ops.cli.printing import console
from ops.counting.collecting import Collected
from ops.fleet import selection
from ops.model import Traffic

if TYPE_CHECKING:
    from ops.ledger import Adopt, Ledger

_AGAIN = 0.2
"""Seconds between two looks whether the other collector has applied a decision."""
_DONE = {"count": "are billed", "baseline": "are left out"}


@dataclass
class Adoption:
    """A decision about the counters of some hosts, and how far it is applied."""

    selected: Selected
    how: "Adopt"
    hosts: Sequence[str]
    applied: dict[str, Traffic] = field(default_factory=dict)


def begin_adoption(selected: Selected, how: "Adopt") -> Adoption:
    """Store the decision *how* for the selected hosts; it is applied where counters wait."""
    globs = selected.host_globs, selected.group_globs
    names = [h.name for h in selection.hosts(selected.fleet, *globs, even_absent=True)]
    adoption = Adoption(selected, how, names)
    with ledger_access.opened(selected, make=True) as ledger:
        adoption.applied |= ledger.decide(names, how).applied
    return adoption


def finish_adoption(
    adoption: Adoption, round_: Collected, seconds: float, say: Callable[[str], None]
) -> Collected:
    """Apply the decision to what *round_* has found, and say what became of it.

    Waits up to *seconds* for a collector that reads the hosts now. Returns *round_* with the
    decisions that are still open.
    """
    with ledger_access.opened(adoption.selected) as ledger:
        adoption.applied |= ledger.decide(adoption.hosts, adoption.how).applied
        stored = _wait(ledger, adoption.hosts, time.monotonic() + seconds)
    for host, used in adoption.applied.items():
        amounts = f"{console.size(used.uplink)} up and {console.size(used.downlink)} down"
        say(f"{host}: {amounts} from before the ledger knew it {_DONE[adoption.how]}")
    if not adoption.applied and not stored:
        say("nothing waits for a decision")
    return replace(round_, unadopted=tuple(map(_waits, stored)))


def _waits(host: str) -> str:
    return f"{host}: it was not read yet; the decision is stored and applied at its first reading"


def _wait(ledger: "Ledger", names: Sequence[str], until: float) -> list[str]:
    """Return the hosts whose decision is still stored when time is up."""
    while True:
        stored = [s.name for s in ledger.hosts() if s.name in names and s.decision]
        if not stored or time.monotonic() >= until:
            return stored
        time.sleep(_AGAIN)
