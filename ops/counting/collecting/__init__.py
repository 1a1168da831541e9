"""Visit the hosts of a fleet, and hand what they counted to a ledger.

These functions are for programs without an event loop, such as the CLI. ssh and gRPC are imported
when the first of them is called, not before.
"""

from collections.abc import Generator

from ops.counting.collecting.outcome import Collected
from ops.counting.collecting.roster import Muster, Roster
from ops.counting.collecting.to_ledger import ToLedger

__all__ = ["DEADLINE", "Collected", "Muster", "Roster", "ToLedger", "collect"]

DEADLINE = 10.0
"""Seconds for everything about every host, unless the operator says otherwise."""


def collect(
    roster: Roster,
    ledger: ToLedger,
    *,
    every: float | None = None,
    deadline: float = DEADLINE,
) -> Generator[Collected, None, None]:
    """Yield one round, or with *every* one each so many seconds, into *ledger*.

    Closing the iterator, Ctrl-C and SIGTERM end it after the transaction that runs. The next
    round of any collector books what this one did not.
    """
    from ops.counting.collecting.rounds import Settings, rounds
    from ops.counting.reading.event_loop import runner

    with runner(len(roster.now().fleet.hosts)) as loop:
        each = rounds(roster, ledger, Settings(deadline=deadline, every=every))
        try:
            while True:
                try:
                    yield loop.run(anext(each))
                except StopAsyncIteration:
                    return
        finally:
            loop.run(each.aclose())
