"""One host's figures of the same bytes, and their expected relation to the exact figure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ops.errors import HostError
from ops.model import Fleet, NicCounters, Reading, Traffic
from ops.reporting.comparison.estimate import Estimate
from ops.reporting.rates import fell, less

EXPECTED = {
    "exact": "payload of the users, to the buffer",
    "inbounds": "0 to 5 % above exact, because it includes bytes of the protocol and of strangers",
    "network_card": "over twice exact: each byte is received and sent, with headers, since boot",
    "estimate": "no fixed relation: a guess from connections",
}
"""By figure: its expected relation to the exact figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one host. A figure that could not be read is None."""

    host: str
    reading: Reading | None
    card: NicCounters | None = None
    estimate: Estimate | None = None
    error: str = ""
    """The reason if there is no exact figure."""
    trouble: str = ""
    """The reason if another figure is missing."""
    users: Mapping[str, Traffic] = field(default_factory=dict)
    """By key, its generations summed."""

    @property
    def exact(self) -> Traffic | None:
        """Return the traffic of all keys."""
        return sum(self.users.values(), Traffic()) if self.reading else None

    @property
    def inbounds(self) -> Traffic | None:
        """Return the traffic that the inbounds counted."""
        return sum(self.reading.inbounds.values(), Traffic()) if self.reading else None

    def of(self, key: str) -> Traffic | None:
        """Return the exact traffic of *key*; None if the core did not answer."""
        return self.users.get(key, Traffic()) if self.reading else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The figures of the hosts that ssh reached, and the failures of the others."""

    hosts: tuple[Figures, ...]
    failures: tuple[HostError, ...]

    @property
    def without_exact(self) -> int:
        """Return the number of hosts without an exact figure, failures included."""
        return len(self.failures) + sum(figures.reading is None for figures in self.hosts)


def difference(figure: int, exact: Traffic | None) -> float | None:
    """Return the difference of *figure* from the exact one in percent; None without traffic.

    >>> difference(110, Traffic(40, 60))
    10.0
    """
    if exact is None or not exact.total:
        return None
    return round((figure / exact.total - 1) * 100, 2)


def opening(fleet: Fleet, figures: Figures) -> list[str]:
    """Return the names of the keys that open the host of *figures*."""
    return [key.name for key in fleet.keys_opening(fleet.host(figures.host))]


def keys_of(fleet: Fleet, figures: Figures, chosen: Sequence[str] | None) -> list[str]:
    """Return the names of the keys to show of a host: those that open it or that it counted.

    *chosen* narrows them; None means all.
    """
    names = opening(fleet, figures)
    names += sorted(figures.users.keys() - set(names))
    return [name for name in names if chosen is None or name in chosen]


def since(before: Iterable[Figures], now: Figures) -> Figures:
    """Return the figures *now* less those *before*: every figure then covers the same span.

    Counters of a core or a host that restarted in between began at 0, so all of them are new.
    A figure is unknown if somebody set its counters back.
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
            inbounds=less(reading.inbounds, old.reading.inbounds),
        )
        users = less(users, old.users)
    if card and old.card and card.boot == old.card.boot:
        received, sent = card.received - old.card.received, card.sent - old.card.sent
        card = replace(card, received=received, sent=sent)
    if estimate and old.estimate and estimate.connections:
        moved = max(0, estimate.total - old.estimate.total)
        estimate = replace(estimate, mean=moved / estimate.connections)
    return replace(now, reading=reading, users=users, card=card, estimate=estimate)


def _without_falls(now: Figures, old: Figures) -> Figures:
    """Return *now* without figures that are lower than in *old* though nothing restarted."""
    reading, card = now.reading, now.card
    if reading and old.reading and reading.run == old.reading.run and fell(reading, old.reading):
        now = replace(now, reading=None, users={}, error="its counters fell: somebody resets them")
    then = old.card if card and old.card and card.boot == old.card.boot else None
    if card and then and (card.received < then.received or card.sent < then.sent):
        now = replace(now, card=None, trouble="its network card's counters fell meanwhile")
    return now
