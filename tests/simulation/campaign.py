"""Many histories at once: on all cores, and a failure of each kind shortened and shown."""

import gc
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.history import Outcome, from_seed
from tests.simulation.shrinking import shortest

PART = 5
"""Histories that a process makes before it says what came of them."""


@dataclass
class Tally:
    """What came of some histories."""

    histories: int = 0
    steps: int = 0
    heard: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, int, Outcome]] = field(default_factory=list)
    """Profile, seed and outcome."""

    def add(self, other: "Tally") -> None:
        """Take in what came of others."""
        self.histories += other.histories
        self.steps += other.steps
        self.heard += other.heard
        self.failures += other.failures


def some(profile: str, seeds: Iterable[int], left_out: Sequence[str] = ()) -> Tally:
    """Let the histories of *seeds* happen, without the kinds of events *left_out*."""
    tally = Tally()
    gc.disable()
    for seed in seeds:
        outcome = from_seed(profile, seed, left_out)
        tally.histories += 1
        tally.steps += len(outcome.events)
        tally.heard += outcome.heard
        if outcome.failure:
            tally.failures.append((profile, seed, outcome))
    gc.enable()
    gc.collect()
    return tally


def everywhere(
    profiles: Sequence[str], seeds: range, processes: int, left_out: Sequence[str] = ()
) -> Iterator[Tally]:
    """Yield the tallies of parts of *seeds* as they come, from several processes."""
    parts = [
        (profile, range(start, min(start + PART, seeds.stop)), left_out)
        for start in range(seeds.start, seeds.stop, PART)
        for profile in profiles
    ]
    gc.collect()
    gc.freeze()  # what is loaded now never goes: no process looks through it again
    with get_context("fork").Pool(processes) as pool:
        yield from pool.imap_unordered(_part, parts)


def kinds(failures: Iterable[tuple[str, int, Outcome]], most: int = 3) -> Iterator[str]:
    """Yield a few failures of each claim, shortened: those that come to the same are told once."""
    told: set[object] = set()
    tried: Counter[str] = Counter()
    for profile, seed, outcome in failures:
        claim = outcome.failure.claim if outcome.failure else ""
        tried[claim] += 1
        if tried[claim] <= most:
            short = shortest(outcome)
            kind = (claim, frozenset(event.kind for event in short.events))
            if kind not in told:
                told.add(kind)
                yield shown(profile, seed, short)


def shown(profile: str, seed: int, outcome: Outcome) -> str:
    """Return a failure as people read it."""
    lines = [f"{profile} {seed}: {outcome.failure}", f"    {outcome.start}"]
    lines += [f"    after {e.after:>10} ms: {e.kind} {e.words}" for e in outcome.events]
    return "\n".join(lines)


def _part(part: tuple[str, range, Sequence[str]]) -> Tally:
    return some(*part)


def timed(tallies: Iterable[Tally]) -> Iterator[tuple[Tally, float]]:
    """Yield the sum so far, and the seconds that it took."""
    began, total = time.monotonic(), Tally()
    for tally in tallies:
        total.add(tally)
        yield total, time.monotonic() - began
