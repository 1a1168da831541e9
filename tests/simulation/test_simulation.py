"""The claims of certainty hold in fixed histories; `make simulate` lets many more happen."""

import pytest

from tests.simulation.campaign import kinds, some

SHARES = {"rest": 40, "normal": 40, "wild": 40}
"""Histories of each profile in `make test`."""
PART = 10


@pytest.mark.parametrize(
    ("profile", "first"),
    [(name, first) for name, count in SHARES.items() for first in range(0, count, PART)],
)
def test_every_figure_is_as_sure_as_it_says(profile: str, first: int) -> None:
    tally = some(profile, range(first, first + PART))
    assert not tally.failures, "\n".join(kinds(tally.failures))
    # Ten wild histories may have no exact figure; an oracle that never hears one proves nothing.
    assert tally.heard["exact"] or profile == "wild"


def test_a_fleet_at_rest_that_is_read_all_the_time_is_exact() -> None:
    tally = some("rest", range(1000, 1010))
    assert tally.heard["exact"] > 3 * tally.heard["at least"]
