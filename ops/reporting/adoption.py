"""Decisions about counters that are older than the ledger's knowledge of their host.

The ledger stores a decision, so it holds even while another collector reads the hosts.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops.fleet import selection as inventory_selection
from ops.model import Traffic
from ops.reporting.selection import Selection

if TYPE_CHECKING:
    from ops.ledger import Adopt, Ledger

_AGAIN = 0.2
"""Seconds between two questions whether the other collector has applied a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A decision about the old counters of *hosts*, and its effect so far."""

    how: "Adopt"
    """``count`` adds their traffic to usage; ``baseline`` leaves it out."""
    hosts: Sequence[str]
    named: bool = True
    """Whether somebody chose the hosts."""
    applied: Mapping[str, Traffic]
    """By host: the traffic from before the ledger knew the host."""
    stored: Sequence[str]
    """Hosts that were never read: the decision is applied at their first reading."""


def decide(selection: Selection, ledger: "Ledger", how: "Adopt") -> Adoption:
    """Decide about the old counters of the selected hosts, absent ones included.

    Without a glob for hosts or groups, it is about hosts that wait for a decision. Nothing is
    stored for the first reading of a host that nobody named.
    """
    globs = selection.host_globs, selection.group_globs
    hosts = inventory_selection.hosts(selection.fleet, *globs, even_absent=True)
    names = [host.name for host in hosts]
    named = selection.narrows_hosts
    decided = ledger.decide(names if named else _waiting(ledger, names), how)
    return Adoption(
        how=how, hosts=names, named=named, applied=decided.applied, stored=decided.stored
    )


def settle(adoption: Adoption, ledger: "Ledger", seconds: float) -> Adoption:
    """Apply a decision to the readings booked since, and return its effect now.

    Waits up to *seconds* for another collector that reads the hosts at this moment.
    """
    until = time.monotonic() + seconds
    names = adoption.hosts if adoption.named else _waiting(ledger, adoption.hosts)
    applied = {**adoption.applied, **ledger.decide(names, adoption.how).applied}
    stored = _wait(ledger, adoption.hosts, until) if adoption.named else ()
    return replace(adoption, applied=applied, stored=stored)


def _waiting(ledger: "Ledger", names: Sequence[str]) -> list[str]:
    """Return the hosts with counters that wait for a decision."""
    return [one.name for one in ledger.hosts() if one.name in names and one.waiting is not None]


def _wait(ledger: "Ledger", names: Sequence[str], until: float) -> list[str]:
    """Return the hosts with a decision that is still stored at the moment *until*."""
    while True:
        stored = [one.name for one in ledger.hosts() if one.name in names and one.decision]
        if not stored or time.monotonic() >= until:
            return stored
        time.sleep(_AGAIN)
