"""Visit the hosts of a fleet, and hand their readings to a ledger.

These functions are for programs without an event loop, such as the CLI. They import ssh and gRPC
at their first call, not before.
"""

from collections.abc import Generator
from contextlib import AbstractAsyncContextManager

from ops.counting.collecting.ledger_writer import LedgerWriter
from ops.counting.collecting.roster import Roster, Targets
from ops.counting.collecting.summary import Collected
from ops.counting.reading import DEADLINE

__all__ = ["DEADLINE", "Collected", "LedgerWriter", "Roster", "Targets", "collect"]


def collect(
    roster: Roster,
    ledger: AbstractAsyncContextManager[LedgerWriter],
    *,
    every: float | None = None,
    deadline: float = DEADLINE,
) -> Generator[Collected, None, None]:
    """Yield the result of each round: one round, or one round each *every* seconds.

    *ledger* is entered once, in the event loop. *deadline* is in seconds, for each round. To end,
    close the iterator; Ctrl-C and SIGTERM do the same, after the transaction in progress.
    The next round of any collector books the traffic that this one did not.
    """
    from ops.counting.collecting.rounds import Settings, rounds
    from ops.counting.reading.event_loop import open_event_loop

    with open_event_loop(len(roster.targets().fleet.hosts)) as loop:
        each = rounds(roster, ledger, Settings(deadline=deadline, every=every))
        try:
            while True:
                try:
                    yield loop.run(anext(each))
                except StopAsyncIteration:
                    return
        finally:
            loop.run(each.aclose())
