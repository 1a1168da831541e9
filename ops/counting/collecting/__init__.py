"""Visit the hosts of a fleet, and book what they counted: the room that joins tunnel, API, ledger.

These functions are for programs without an event loop, such as the CLI. ssh, gRPC and the
database are imported when the first of them is called, not before.
"""

from collections.abc import Generator

from ops.counting.collecting.outcome import Collected
from ops.counting.collecting.roster import Muster, Roster

__all__ = ["DEADLINE", "Collected", "Muster", "Roster", "collect"]

DEADLINE = 10.0
"""Seconds for everything about every host, unless the operator says otherwise."""
PATIENCE = 20.0
"""Seconds that a database may be held or away until a round gives its bookings up."""


def collect(
    roster: Roster,
    *,
    every: float | None = None,
    deadline: float = DEADLINE,
) -> Generator[Collected, None, None]:
    """Yield one round, or with *every* one each so many seconds, into the fleet's ledger.

    Closing the iterator, Ctrl-C and SIGTERM end it after the transaction that runs; what was not
    booked is booked by the next round, whoever makes it.
    """
    from functools import partial

    from ops.counting.collecting.clerk import Clerk
    from ops.counting.collecting.rounds import Settings, rounds
    from ops.ledger import open_ledger
    from ops.counting.reading.event_loop import runner

    fleet = roster.now().fleet
    clerk = Clerk(partial(open_ledger, fleet, patience=PATIENCE), 2 * PATIENCE)
    with runner(len(fleet.hosts)) as loop:
        each = rounds(roster, clerk, Settings(deadline=deadline, every=every))
        try:
            while True:
                try:
                    yield loop.run(anext(each))
                except StopAsyncIteration:
                    return
        finally:
            loop.run(each.aclose())
