"""What can happen. An event is plain data: a kind, the time before it, and its words.

An event that makes no sense any more, because one before it was left out, does nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulation.inventory_events import INVENTORY_EVENTS
from tests.simulation.ledger_events import LEDGER_EVENTS
from tests.simulation.machine_events import MACHINE_EVENTS
from tests.simulation.simulation import Simulation
from tests.simulation.truth import SHARP

KINDS: dict[str, Callable[..., None]] = {**MACHINE_EVENTS, **INVENTORY_EVENTS, **LEDGER_EVENTS}
AT_REST = {
    "host",
    "key",
    "traffic",
    "collect",
    "burst",
    "ask",
    "agree",
    "status",
    "verify",
    "serve",
}
"""Kinds after which every figure of a life is exact, if the hosts are read often enough."""


@dataclass(frozen=True, slots=True)
class Event:
    """*after*: milliseconds that pass before it."""

    kind: str
    after: int
    words: tuple[Any, ...] = ()


def apply(simulation: Simulation, event: Event) -> None:
    """Let time pass, and let *event* happen."""
    simulation.time.pass_(max(1, event.after))
    if event.kind not in AT_REST or event.after > SHARP // 2:
        simulation.oracle.at_rest = False
    KINDS[event.kind](simulation, *event.words)
