"""The oracle notices every kind of lie: else its silence would mean nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ops.ledger import Ledger, Usage
from ops.model import Traffic
from tests.simulation.campaign import some

Lie = Callable[[Usage], Usage]


def _surely(answer: Usage) -> Usage:
    """Say exact of everything."""
    rows = tuple(replace(row, certainty="exact") for row in answer.rows)
    return replace(answer, rows=rows, certainty="exact")


def _more(answer: Usage) -> Usage:
    """Say a byte more."""
    rows = [replace(row, traffic=row.traffic + Traffic(1, 0)) for row in answer.rows]
    return replace(answer, rows=tuple(rows))


def _less(answer: Usage) -> Usage:
    """Say a byte less."""
    rows = [
        replace(row, traffic=Traffic(max(0, row.traffic.uplink - 1), row.traffic.downlink))
        for row in answer.rows
    ]
    return replace(answer, rows=tuple(rows))


def _lost(answer: Usage) -> Usage:
    """Leave out a row."""
    return replace(answer, rows=answer.rows[1:])


def _unsure(answer: Usage) -> Usage:
    """Say at least of everything."""
    return replace(answer, certainty="at least")


def _claims(profile: str, lie: Lie, patch: pytest.MonkeyPatch) -> set[str]:
    """Return the claims that do not hold of a product that lies."""
    true = Ledger.usage
    patch.setattr(Ledger, "usage", lambda *a, **k: lie(true(*a, **k)))
    failures = [outcome.failure for _, _, outcome in some(profile, range(8)).failures]
    return {failure.claim for failure in failures if failure}


@pytest.mark.parametrize(
    ("lie", "claim"),
    [
        (_surely, "exact below the truth"),
        (_more, "exact above the truth"),
        (_less, "exact below the truth"),
        (_lost, "exact below the truth"),
    ],
)
def test_a_lie_is_found(lie: Lie, claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = "normal" if lie is _surely else "rest"
    assert claim in _claims(profile, lie, monkeypatch)


def test_a_fleet_that_is_never_sure_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _claims("rest", _unsure, monkeypatch)
    assert "at rest, not exact" in found
