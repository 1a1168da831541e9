"""The table of exact counters beside other figures."""

from collections.abc import Iterator, Sequence

from ops.cli.printing import console
from ops.model import Fleet, Traffic
from ops.reporting.comparison import EXPECTED, Comparison, Figures, difference
from ops.reporting.comparison.figures import keys_of, opening

_HEADINGS = ("host", "key", "exact", "inbounds", "network card", "estimate")


def text(fleet: Fleet, report: Comparison, keys: Sequence[str] | None) -> str:
    """Return the table of *report*, and the expected relations of its columns."""
    rows = [row for figures in report.hosts for row in _rows(fleet, figures, keys)]
    relations = [f"{name.replace('_', ' ')}: {text}" for name, text in EXPECTED.items()]
    return "\n".join([console.table(_HEADINGS, rows, numbers=4), "", *relations])


def _rows(fleet: Fleet, figures: Figures, keys: Sequence[str] | None) -> Iterator[list[str]]:
    exact = figures.exact
    card = figures.card.received + figures.card.sent if figures.card else None
    inbounds = figures.inbounds.total if figures.inbounds else None
    guess = figures.estimate.total if figures.estimate else None
    others = [_beside(figure, exact) for figure in (inbounds, card)]
    yield [figures.host, "", _exact(exact), *others, _estimated(guess, exact)]
    count = len(opening(fleet, figures))
    for key in keys_of(fleet, figures, keys):
        used = figures.of(key)
        guess = figures.estimate.of(key, count) if figures.estimate else None
        yield ["", key, _exact(used), "", "", _estimated(guess, used)]


def _estimated(guess: int | None, exact: Traffic | None) -> str:
    """Return the cell of an estimate. It has no percentage without open connections."""
    return console.size(0) if guess == 0 else _beside(guess, exact)


def _exact(used: Traffic | None) -> str:
    return console.size(used.total) if used else "unknown"


def _beside(figure: int | None, exact: Traffic | None) -> str:
    if figure is None:
        return "unknown"
    percent = difference(figure, exact)
    return console.size(figure) + (f" {percent:+.1f}%" if percent is not None else "")
