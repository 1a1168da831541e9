"""Hold each answer of the product against the truth."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from ops.errors import UsageError
from ops.ledger import Usage
from tests.simulation.books import Books
from tests.simulation.claims import FalseError
from tests.simulation.judging import Judge
from tests.simulation.questions import Question, agreeing, ask, since_reset, state
from tests.simulation.truth import SHARP
from tests.simulation.world import World

MAX_AGE = 10 * 60_000
"""Milliseconds after which `ops status` must say that a host is behind."""


@dataclass
class Oracle:
    """Asks, judges, and counts how often it heard each certainty."""

    world: World
    heard: Counter[str] = field(default_factory=Counter)
    forgiven: frozenset[str] = frozenset()
    """Claims that are not held, so that known faults do not hide others."""
    at_rest: bool = False
    """Whether nothing ever happened that makes a figure less than exact."""
    _highest: dict[tuple[int, int, str, str], int] = field(default_factory=dict)

    def false(self, claim: str, about: str, detail: str) -> None:
        """Say that a claim does not hold; FalseError unless it is forgiven."""
        if claim not in self.forgiven:
            raise FalseError(claim, about, detail)

    def ask(self, books: Books, question: Question) -> Usage | None:
        """Ask, and judge the answer; None where the ledger keeps nothing so fine."""
        if self.world.wrong_clocks and question.span != "life":
            return None
        try:
            answer = ask(self.world, books, question)
        except UsageError:
            return None
        Judge(self, books, question, answer).judge()
        return answer

    def agree(self, books: Books, question: Question) -> None:
        """Ask for the same bytes in several ways: one sum, and one word for it."""
        answers = [(q, self.ask(books, q)) for q in agreeing(question)]
        there = [(q, a) for q, a in answers if a is not None]
        for (first, one), (second, two) in pairwise(there):
            about = f"{'+'.join(first.by)} and {'+'.join(second.by)}"
            if one.total != two.total:
                self.false("parts differ", about, f"{one.total} and {two.total}")
            if one.certainty != two.certainty:
                detail = f"{question.span}: {one.certainty} and {two.certainty} for {one.total}"
                self.false("two words for one sum", about, detail)

    def since_reset(self, books: Books) -> None:
        """Ask what was used since marks, and judge it."""
        if self.world.wrong_clocks:
            return
        answer = since_reset(self.world, books)
        judge = Judge(self, books, Question(("key",), "reset"), answer)
        for row in answer.rows:
            judge.since_mark(row)

    def status(self, books: Books) -> None:
        """Hold the line of `ops status` against the figures of the month."""
        if self.world.wrong_clocks:
            return
        line = state(self.world, books)
        answer = self.ask(books, Question(("key", "host"), "month"))
        said = "all figures of this month are exact" in line
        if answer and said and answer.certainty != "exact":
            self.false("status says exact", "month", f"{line!r}: usage: {answer.certainty}")
        for name, entry in self.world.inventory.hosts.items():
            last = max([*books.told.shown.get(name, ()), books.told.looked.get(name, 0)])
            old = self.world.time.now - last > MAX_AGE + SHARP
            if old and line.startswith("OK") and not (entry.absent or entry.away):
                self.false("status says OK", name, f"{line!r}: last read {last}")

    def verify(self, books: Books) -> None:
        """Have the ledger prove itself."""
        if faults := books.ledger.verify():
            self.false("verify", "", "; ".join(faults))

    def grown(self, books: Books, place: tuple[str, str], amount: int) -> None:
        """Hold that a whole life never goes down."""
        at = (id(books), books.forgot, *place)
        if amount < self._highest.get(at, 0):
            self.false("went down", "+".join(place), f"{self._highest[at]} to {amount}")
        self._highest[at] = amount
