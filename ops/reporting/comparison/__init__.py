"""Exact counters beside other figures of the same bytes: inbounds, network card, estimate."""

from ops.counting.reading import DEADLINE
from ops.reporting.comparison.estimate import METHOD, Estimate
from ops.reporting.comparison.figures import EXPECTED, Comparison, Figures, difference
from ops.reporting.selection import Selection

__all__ = ["EXPECTED", "METHOD", "Comparison", "Estimate", "Figures", "compare", "difference"]


def compare(
    selection: Selection, *, deadline: float = DEADLINE, over: float | None = None
) -> Comparison:
    """Return the figures of each selected host since its core started, or of *over* seconds.

    The network card counts since boot, unless *over* is given. A host without an answer from its
    core still has the other figures. A host that ssh does not reach within *deadline* seconds is
    a failure. For programs without an event loop; ssh and gRPC are imported on the first call.
    """
    from ops.counting.reading.event_loop import open_event_loop
    from ops.reporting.comparison.other_figures import compared

    hosts = selection.hosts
    with open_event_loop(len(hosts)) as loop:
        return loop.run(compared(selection.fleet, hosts, deadline=deadline, over=over))
