"""Many cases one after the other, and what became of them."""

import gc
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from ops.counting.collecting.roster import Targets
from ops.counting.collecting.summary import RoundSummary
from ops.counting.collecting.visiting import Visit
from ops.errors import HostError
from ops.ledger import Ledger, open_ledger
from ops.model import Fleet, Host, Observation, Reading, Traffic
from ops.model.key import key_of
from ops.servers.planning.decision import LoadedFleet
from tests.fuzzing import cases
from tests.fuzzing.host import FuzzedHost
from tests.ledgers import Clock

SEED = 20261126
BATCH = 25
"""Observations that are booked at once."""
CHAPTER = 1_000
"""Cases that share a ledger."""
ANSWERS_A_CASE = 4
"""And one more in every fourth case."""
EARLIER = datetime(2000, 1, 1, tzinfo=UTC)
"""When the ledgers learn of the host: before anything that it can say of its runs."""
EVER = datetime(1999, 1, 1, tzinfo=UTC)


@dataclass
class Setting:
    """What the cases are about: one host of a fleet, and what it truly has."""

    loaded: LoadedFleet
    host: Host
    state: Any
    config: Any

    @property
    def fleet(self) -> Fleet:
        """Return the fleet."""
        return self.loaded.fleet


@dataclass
class Outcome:
    """What became of many cases."""

    answers: Counter[str] = field(default_factory=Counter)
    """By what was read, and whether it was believed."""
    booked: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    """Bytes that the ledgers hold; each was compared with what was believed."""
    slowest: float = 0.0
    seconds: float = 0.0
    grown: int = 0
    """KiB by which this process grew after the first chapter."""

    @classmethod
    def joined(cls, parts: Sequence["Outcome"]) -> "Outcome":
        """Return what became of all *parts*."""
        return cls(
            answers=sum((part.answers for part in parts), Counter()),
            booked=sum((part.booked for part in parts), Counter()),
            bytes=sum(part.bytes for part in parts),
            slowest=max(part.slowest for part in parts),
            grown=max(part.grown for part in parts),
        )


class Trial:
    """Runs cases; an AssertionError or any other exception names its case."""

    def __init__(self, setting: Setting, folder: Path) -> None:
        self._setting = setting
        self._folder = folder
        self._waiting: list[Observation] = []
        self._believed: dict[tuple[str, str], Traffic] = {}
        self.outcome = Outcome()

    def run(self, first: int, count: int) -> Outcome:
        """Run *count* cases from the one called *first* on."""
        began, grown = time.monotonic(), 0
        for start in range(first, first + count, CHAPTER):
            with self._ledger(start) as ledger:
                for number in range(start, min(start + CHAPTER, first + count)):
                    self._case(number, ledger)
                self._book(ledger)
                self._compare(ledger)
            gc.collect()
            grown = grown or _peak()
        self.outcome.seconds = time.monotonic() - began
        self.outcome.grown = _peak() - grown
        return self.outcome

    @contextmanager
    def _ledger(self, start: int) -> Iterator[Ledger]:
        file = self._folder / f"{start}.db"
        clock = Clock(EARLIER)
        with open_ledger(file, clock=clock) as ledger:
            ledger.enrol([self._setting.host.name], ["alice", "bob"])
            ledger.book_all([_empty(self._setting.host.name, start)], None)
            clock.now = datetime.now(UTC)
            yield ledger
        for left in self._folder.glob(f"{file.name}*"):
            left.unlink()

    def _case(self, number: int, ledger: Ledger) -> None:
        began = time.monotonic()
        try:
            for name, what in self._asked(number):
                self.outcome.answers[f"{name}: {what}"] += 1
            if len(self._waiting) >= BATCH:
                self._book(ledger)
        except BaseException as error:
            error.add_note(f"case {number} of seed {SEED}")
            raise
        self.outcome.slowest = max(self.outcome.slowest, time.monotonic() - began)

    def _asked(self, number: int) -> Iterator[tuple[str, str]]:
        setting, rng = self._setting, Random(SEED * 1_000_003 + number)  # noqa: S311
        fuzzed = FuzzedHost(setting.host, rng, number)
        yield "collect", self._visit(fuzzed)
        yield "hosts", cases.inspected(fuzzed)
        yield "compare", cases.compared(fuzzed)
        yield "recover", cases.recovered(fuzzed, setting.fleet, setting.host, setting.config)
        if number % 4 == 0:
            loaded = setting.loaded
            yield "diff --servers", cases.drifted(fuzzed, loaded, setting.host, setting.state)

    def _visit(self, fuzzed: FuzzedHost) -> str:
        found = cases.visited(fuzzed)
        cases.check_shown(self._setting.fleet, fuzzed.host, found)
        if isinstance(found, HostError):
            return "refused"
        targets = Targets(fleet=self._setting.fleet, hosts=(fuzzed.host,))
        summary = RoundSummary(targets, wanted=(fuzzed.host,))
        summary.add_visit(fuzzed.host, found)
        round_ = summary.collected(datetime.now(UTC), 0.0)
        cases.check_text([*map(str, round_.failures), *round_.warnings, *round_.notes])
        self._believe(found)
        return "believed" if found.observation.now else "disk only"

    def _believe(self, found: Visit) -> None:
        observation = found.observation
        if not {reading.run for reading in observation.readings} <= observation.begun:
            return  # whose such runs are, and which of them go on, is for the ledger's own tests
        self._waiting.append(observation)
        for reading in observation.readings:
            for name, used in reading.users.items():
                if not key_of(name):  # nobody's: it is not booked
                    continue
                old = self._believed.get((reading.run, name), Traffic())
                up, down = max(old.uplink, used.uplink), max(old.downlink, used.downlink)
                self._believed[reading.run, name] = Traffic(up, down)

    def _book(self, ledger: Ledger) -> None:
        for booked in ledger.book_all(self._waiting, "count"):
            self.outcome.booked[booked.outcome] += 1
        self._waiting = []

    def _compare(self, ledger: Ledger) -> None:
        """Hold what the ledger has against what was believed since it was opened."""
        held = ledger.usage(EVER, datetime.now(UTC) + timedelta(days=400)).total
        named = {place: used for place, used in self._believed.items() if place[0]}
        believed = sum(named.values(), Traffic())
        assert held == believed, f"the ledger holds {held} of {believed}"
        self.outcome.bytes += held.total
        self._believed = {}


def _empty(host: str, start: int) -> Observation:
    run = f"first-{start}"
    reading = Reading(host=host, run=run, read_at=EARLIER, counting_since=EARLIER)
    return Observation(host=host, now=reading, listed=True)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
