"""One host's figures side by side: what each counts, and how it should relate to the exact one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ops.errors import HostError
from ops.model import NicCounters, Reading, Traffic
from ops.model.key import key_of
from ops.reporting.comparing.connections import Estimate
from ops.reporting.traffic import fell

EXPECTED = {
    "exact": "payload of the users, to the buffer",
    "inbounds": "0 to 5 % above exact: with the protocol's own bytes, and strangers'",
    "network_card": "over twice exact: each byte comes and goes, with headers; since boot",
    "estimate": "none: a guess from connections",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was found out about one host; what could not be is None, and *errors* say why."""

    host: str
    reading: Reading | None
    card: NicCounters | None = None
    estimate: Estimate | None = None
    error: str = ""
    """Why there is no exact figure."""
    trouble: str = ""
    """Why there is no other."""
    users: Mapping[str, Traffic] = field(default_factory=dict)
    """By key, the generations together."""

    @property
    def exact(self) -> Traffic | None:
        """Return what the users moved."""
        return sum(self.users.values(), Traffic()) if self.reading else None

    @property
    def inbounds(self) -> Traffic | None:
        """Return what the inbounds counted."""
        return sum(self.reading.inbounds.values(), Traffic()) if self.reading else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All hosts that said anything, and those that did not."""

    hosts: tuple[Figures, ...]
    failures: tuple[HostError, ...]


def by_key(users: Mapping[str, Traffic]) -> dict[str, Traffic]:
    """Return the traffic of keys, their generations summed; nobody's is left out.

    >>> by_key({"alice": Traffic(1, 2), "alice~2": Traffic(3, 4)})
    {'alice': Traffic(uplink=4, downlink=6)}
    """
    summed: dict[str, Traffic] = {}
    for user, used in users.items():
        if key := key_of(user):
            summed[key] = summed.get(key, Traffic()) + used
    return summed


def since(before: Iterable[Figures], now: Figures) -> Figures:
    """Return *now* less what stood there *before*: the same span for every figure.

    Where the core or the host began anew in between, its counters have: they are all new. Where
    somebody set counters back, what moved is unknown.
    """
    old = next((figures for figures in before if figures.host == now.host), None)
    if old is None:
        return now
    now = _without_falls(now, old)
    reading, users, card, estimate = now.reading, now.users, now.card, now.estimate
    if reading and old.reading and reading.run == old.reading.run:
        reading = replace(
            reading,
            counting_since=old.reading.read_at,
            inbounds=_less(reading.inbounds, old.reading.inbounds),
        )
        users = _less(users, old.users)
    if card and old.card and card.boot == old.card.boot:
        received, sent = card.received - old.card.received, card.sent - old.card.sent
        card = replace(card, received=received, sent=sent)
    if estimate and old.estimate and estimate.connections:
        moved = max(0, estimate.total - old.estimate.total)
        estimate = replace(estimate, mean=moved / estimate.connections)
    return replace(now, reading=reading, users=users, card=card, estimate=estimate)


def _without_falls(now: Figures, old: Figures) -> Figures:
    """Return *now* without figures that are lower than in *old*, though nothing began anew."""
    reading, card = now.reading, now.card
    if reading and old.reading and reading.run == old.reading.run and fell(reading, old.reading):
        now = replace(now, reading=None, users={}, error="its counters fell: somebody resets them")
    then = old.card if card and old.card and card.boot == old.card.boot else None
    if card and then and (card.received < then.received or card.sent < then.sent):
        now = replace(now, card=None, trouble="its network card's counters fell meanwhile")
    return now


def _less(now: Mapping[str, Traffic], before: Mapping[str, Traffic]) -> dict[str, Traffic]:
    nothing = Traffic()
    return {
        name: Traffic(
            used.uplink - before.get(name, nothing).uplink,
            used.downlink - before.get(name, nothing).downlink,
        )
        for name, used in now.items()
    }
