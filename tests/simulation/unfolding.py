"""How a seed becomes a history: events are chosen by weight, in sight of the world as it is."""

from collections.abc import Iterator

from ops.model import ALL
from tests.simulation.chance import HOSTS, KEYS, SECOND, Chance
from tests.simulation.events import Event
from tests.simulation.questions import Question
from tests.simulation.words import WORDS


def unfold(chance: Chance) -> Iterator[Event]:
    """Yield events; each is to be applied before the next is asked for."""
    weights = {k: w for k, w in chance.profile.weights.items() if chance.happens(k)}
    kinds, shares = list(weights), list(weights.values())
    chance.brisk = chance.random.random() < 0.5
    yield from _beginning(chance)
    for _ in range(chance.profile.steps):
        kind = chance.random.choices(kinds, shares)[0]
        words = WORDS[kind](chance)
        if words is not None:
            chance.cuts.append(chance.simulation.time.now)
            yield Event(kind, chance.pause(), words)
    for number in chance.simulation.ledgers or (0,):
        yield from _end(number, settled=chance.random.random() < 0.5)


def _beginning(chance: Chance) -> Iterator[Event]:
    """Begin with some keys and hosts, most of them rolled out once the ledger knew them."""
    for key in KEYS[: chance.random.randint(1, 3)]:
        yield Event(
            "key", SECOND, (key, chance.opens() if chance.random.random() < 0.3 else (ALL,))
        )
    for number, host in enumerate(HOSTS[: chance.random.randint(1, 3)]):
        rolled = "rolled" if chance.random.random() < 0.8 else ""
        yield Event("host", SECOND, (host, number + 1, rolled))
    if chance.random.random() < 0.5:
        yield Event("serve", SECOND, (0, True))
    if chance.random.random() < 0.7:
        yield Event("collect", SECOND, (0,))


def _end(number: int, *, settled: bool) -> Iterator[Event]:
    if settled:
        yield Event("settle", SECOND, (number,))
    yield Event("agree", SECOND, (number, Question(span="life")))
    yield Event("ask", SECOND, (number, Question(("host", "day"), "month")))
    for kind in ("since reset", "status", "verify"):
        yield Event(kind, 1, (number,))
