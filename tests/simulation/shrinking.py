"""Shorten a history that fails: leave out events, as many at once as will go.

Own code and not Hypothesis: a history here is a list of plain events that can be replayed with any
of them left out, which is all that shortening needs; histories are chosen in sight of the world,
which Hypothesis' rules can do only step by step and many times slower.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from tests.simulation.events import Event
from tests.simulation.history import Outcome, Start, again

Signature = tuple[str, str]


def signature(outcome: Outcome) -> Signature | None:
    """Return what kind of failure it is; None for none."""
    failure = outcome.failure
    return (failure.claim, failure.about) if failure else None


def shortest(outcome: Outcome, forgiven: Iterable[str] = ()) -> Outcome:
    """Return the same failure with as few events as leaving out can reach."""
    wanted, start = signature(outcome), outcome.start
    claim = wanted[0] if wanted else ""
    best = outcome

    def fails(events: Sequence[Event]) -> bool:
        nonlocal best
        tried = again(start, events, forgiven)
        if tried.failure and tried.failure.claim == claim:
            best = tried
            return True
        return False

    _reduced(outcome.events, fails)
    return best


def _reduced(events: Sequence[Event], fails: Callable[[Sequence[Event]], bool]) -> None:
    """Delta debugging: leave out parts of ever smaller size, until no single event can go."""
    now = list(events)
    size = max(1, len(now) // 2)
    while True:
        place, changed = 0, False
        while place < len(now):
            shorter = next((s for s in _without(now, place, size) if s and fails(s)), None)
            if shorter:
                now, changed = shorter, True
            else:
                place += size
        if size == 1 and not changed:
            return
        size = size if changed and size == 1 else max(1, size // 2)


def _without(events: list[Event], place: int, size: int) -> Iterator[list[Event]]:
    """Yield *events* without some; their time is left out, too, or passes before the next."""
    yield events[:place] + events[place + size :]
    if place + size < len(events):
        time = sum(event.after for event in events[place : place + size])
        following = events[place + size]
        later = replace(following, after=following.after + time)
        yield [*events[:place], later, *events[place + size + 1 :]]


__all__ = ["Signature", "Start", "shortest", "signature"]
