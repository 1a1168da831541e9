"""A history: events from a seed, or a part of them again. The same events do the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from tests.simulation.chance import DAY, Chance
from tests.simulation.claims import FalseError
from tests.simulation.clock import simulated
from tests.simulation.events import Event, apply
from tests.simulation.profiles import PROFILES
from tests.simulation.simulation import Simulation
from tests.simulation.unfolding import unfold

ZONES = ("UTC", "Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
EDGES = ("2026-01-31", "2026-03-28", "2026-04-04", "2026-10-24", "2026-10-31", "2026-12-30")
"""Days before months end and clocks are changed for the summer."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where and when a history begins."""

    began: int
    zone: str


@dataclass
class Outcome:
    """What came of a history."""

    start: Start
    events: list[Event]
    failure: FalseError | None = None
    heard: Counter[str] = field(default_factory=Counter)


def from_seed(
    profile: str, seed: int, skip: Iterable[str] = (), forgiven: Iterable[str] = ()
) -> Outcome:
    """Let a history happen that *seed* chooses."""
    random = Random(f"{profile} {seed}")  # noqa: S311 - a simulation
    start = _start(random)
    with simulated():
        simulation = Simulation(start.began, start.zone)
        simulation.oracle.forgiven = frozenset(forgiven)
        chance = Chance(simulation, PROFILES[profile], random, frozenset(skip))
        return _happen(simulation, start, unfold(chance))


def again(start: Start, events: Sequence[Event], forgiven: Iterable[str] = ()) -> Outcome:
    """Let *events* happen again, or a part of them."""
    with simulated():
        simulation = Simulation(start.began, start.zone)
        simulation.oracle.forgiven = frozenset(forgiven)
        return _happen(simulation, start, events)


def _start(random: Random) -> Start:
    day = datetime.fromisoformat(random.choice(EDGES)).replace(tzinfo=UTC)
    began = round(day.timestamp() * 1000) + random.randrange(DAY)
    return Start(began, random.choice(ZONES))


def _happen(simulation: Simulation, start: Start, events: Iterable[Event]) -> Outcome:
    outcome = Outcome(start, [], heard=simulation.oracle.heard)
    for event in events:
        outcome.events.append(event)
        try:
            apply(simulation, event)
        except FalseError as error:
            outcome.failure = error
            return outcome
        except Exception as error:  # noqa: BLE001 - whatever the product raises is a finding
            outcome.failure = FalseError("raised", type(error).__name__, _where(error))
            return outcome
    return outcome


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{error} at {place}"
