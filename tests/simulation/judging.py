"""Judge one answer of the product, row by row."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from ops.ledger import Usage, UsageRow
from ops.model import Certainty, Traffic
from tests.simulation.books import Books
from tests.simulation.questions import Question
from tests.simulation.truth import EVER, SHARP, Scope, Truth

if TYPE_CHECKING:
    from tests.simulation.oracle import Oracle

WORST: Mapping[Certainty, int] = {"exact": 0, "at least": 1, "unknown": 2}
_SLACK = 60_000
"""Milliseconds by which a moment of reading may be off: time passes while a round goes on."""


class Judge:
    """Judges one answer."""

    def __init__(self, oracle: "Oracle", books: Books, question: Question, answer: Usage) -> None:
        self._oracle = oracle
        self._world = oracle.world
        self._books = books
        self._told = books.told
        self._question = question
        self._answer = answer
        self._truth = Truth(self._world, books.told)
        self._whole = question.span == "life"
        self._ends = {name: self._truth.end(name, self._read(name)) for name in self._told.known}

    def judge(self) -> None:
        """Judge the total and each row."""
        answer, question = self._answer, self._question
        hosts, keys = question.hosts or None, question.keys or None
        self._figure(self._scope(hosts, keys), answer.total, answer.certainty, "total")
        if (
            answer.certainty != "exact"
            and not answer.missing
            and not any(r.late for r in answer.rows)
        ):
            self._oracle.false(f"{answer.certainty} without a reason", "+".join(question.by), "")
        for row, traffic, certainty in _lives(answer.rows):
            of_host = (row.host,) if row.host else hosts
            of_key = (row.key,) if row.key else keys
            scope = self._scope(of_host, of_key, row, by_key=bool(row.key and not row.host))
            self._figure(scope, traffic, "at least" if row.late else certainty, "row")
            if self._whole and set(question.by) <= {"key", "host"} and not (hosts or keys):
                self._oracle.grown(self._books, (row.key, row.host), traffic.total)

    def since_mark(self, row: UsageRow) -> None:
        """Judge what a key used since it was reset."""
        mark = next(m for m in reversed(self._books.ledger.marks([row.key])))
        scope = self._scope(None, (row.key,), row, by_key=True)
        most = self._truth.most(scope)
        self._below(row.traffic, most, row.certainty, "reset")
        if row.certainty == "exact":
            at = round(mark.at.timestamp() * 1000)
            later = Scope(None, (row.key,), at, EVER, whole=False, by_key=True)
            self._above(row.traffic, self._truth.least(later, self._ends), "reset")

    def _scope(
        self,
        hosts: tuple[str, ...] | None,
        keys: tuple[str, ...] | None,
        row: UsageRow | None = None,
        *,
        by_key: bool | None = None,
    ) -> Scope:
        place = row or self._answer
        since, until = (round(at.timestamp() * 1000) for at in (place.since, place.until))
        whole = self._whole and (row is None or set(self._question.by) <= {"key", "host"})
        limited = keys is not None and hosts is None if by_key is None else by_key
        return Scope(hosts, keys, since, until, whole=whole, by_key=limited)

    def _figure(self, scope: Scope, traffic: Traffic, certainty: Certainty, about: str) -> None:
        if self._world.wrong_clocks and not scope.whole:
            return
        by = "+".join(self._question.by) + f" {about}"
        self._oracle.heard[certainty if traffic.total else f"{certainty} 0"] += 1
        if certainty == "unknown":
            self._unknown(scope, traffic, by)
            return
        self._below(traffic, self._truth.most(scope), certainty, by)
        if certainty == "exact":
            self._exact(scope, traffic, by)
        elif scope.whole and about == "total" and self._rests():
            self._oracle.false("at rest, not exact", by, f"{self._answer.missing}")

    def _rests(self) -> bool:
        """Say whether nothing can be missing: no fault ever, and all hosts were read just now."""
        world, told = self._world, self._told
        return self._oracle.at_rest and all(
            (machine := world.named(name))
            and machine.run
            and world.time.now - told.live.get(name, 0) < SHARP - _SLACK
            for name in world.inventory.hosts
        )

    def _below(
        self, traffic: Traffic, most: tuple[int, int], certainty: Certainty, by: str
    ) -> None:
        if traffic.uplink > most[0] or traffic.downlink > most[1]:
            said = f"{traffic} of {most} in {self._question}"
            self._oracle.false(f"{certainty} above the truth", by, said)

    def _above(self, traffic: Traffic, least: tuple[int, int], by: str) -> None:
        if traffic.uplink < least[0] or traffic.downlink < least[1]:
            said = f"{traffic} of {least} in {self._question}"
            self._oracle.false("exact below the truth", by, said)

    def _exact(self, scope: Scope, traffic: Traffic, by: str) -> None:
        self._above(traffic, self._truth.least(scope, self._ends), by)
        if self._world.wrong_clocks:
            return
        for name in self._concerned(scope):
            if name not in self._told.visited and self._known_in(name, scope):
                self._oracle.false("exact, and a host was never read", by, f"{name}: {scope}")
            if self._behind(name, scope):
                self._oracle.false("exact, and a host is behind", by, f"{name}: {scope}")
        if scope.since >= self._world.time.now or scope.until <= self._told.begun:
            self._oracle.false("exact outside of the ledger's time", by, f"{self._question}")

    def _unknown(self, scope: Scope, traffic: Traffic, by: str) -> None:
        if traffic.total:
            self._oracle.false("unknown, and something is known", by, f"{traffic}: {scope}")
        if self._world.wrong_clocks or scope.until <= self._told.begun:
            return
        for name in self._concerned(scope):
            for moment in self._told.used.get(name, ()):
                if scope.since + SHARP <= moment < scope.until:
                    self._oracle.false("unknown, and a host was read", by, f"{name}: {scope}")

    def _concerned(self, scope: Scope) -> Iterable[str]:
        """Return the hosts of the inventory that a figure depends on."""
        names = set(self._world.inventory.hosts)
        if scope.hosts is not None:
            names &= set(scope.hosts)
        if not scope.by_key or scope.keys is None:
            return sorted(names)
        found: set[str] = set()
        for key in scope.keys:
            depends = self._told.depends(key)
            found |= names if depends is None else names & depends
        return sorted(found)

    def _known_in(self, name: str, scope: Scope) -> bool:
        """Say whether the span has a moment at which the inventory named the host."""
        now = self._world.time.now
        return any(
            bearing.name == name
            and bearing.until is None
            and scope.until > bearing.since
            and scope.since < now
            for bearing in self._world.bearings
        )

    def _behind(self, name: str, scope: Scope) -> bool:
        """Say whether the host was not read for more than five minutes of the span."""
        entry, now = self._world.inventory.hosts[name], self._world.time.now
        read = max([*self._told.shown.get(name, ()), self._told.looked.get(name, 0)])
        return (
            not entry.absent
            and read + SHARP + _SLACK < min(now, scope.until)
            and scope.since < now
            and self._told.names(name)
            and (read > 0 or self._known_in(name, scope))
        )

    def _read(self, name: str) -> int | None:
        """Return the true moment to which figures of *name* speak."""
        live = self._told.live.get(name)
        if self._world.wrong_clocks:
            return live
        if name in self._answer.read_at:
            return self._checked(name, self._answer.read_at[name])
        entry = self._world.inventory.hosts.get(name)
        if entry is None:
            return EVER
        # Nothing is left to fetch there, says the product: it was seen without a core.
        return self._told.looked.get(name, EVER) if entry.absent else live

    def _checked(self, name: str, read_at: datetime | None) -> int | None:
        """Return when the answer says that *name* was read, held against its readings."""
        said = None if read_at is None else round(read_at.timestamp() * 1000)
        last = max([*self._told.shown.get(name, ()), self._told.looked.get(name, 0)])
        if said is not None and said > last + _SLACK:
            self._oracle.false("as of a moment without a reading", name, f"{said}, read {last}")
        live = self._told.live.get(name)
        if live is not None and (said is None or said < live - _SLACK) and self._concerns(name):
            self._oracle.false(
                "as of an older moment than its reading", name, f"{said}, read {live}"
            )
        return said

    def _concerns(self, name: str) -> bool:
        return self._told.names(name) and name in (self._question.hosts or (name,))


def _lives(rows: Iterable[UsageRow]) -> list[tuple[UsageRow, Traffic, Certainty]]:
    """Return the rows, those of the lives of one key as one, with the worst of their words."""
    found: dict[object, tuple[UsageRow, Traffic, Certainty]] = {}
    for row in rows:
        place = (row.key, row.host, row.since, row.until, row.late)
        old = found.get(place, (row, Traffic(), "exact"))
        certainty = max(old[2], row.certainty, key=WORST.__getitem__)
        found[place] = (old[0], old[1] + row.traffic, certainty)
    return list(found.values())
