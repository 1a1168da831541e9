"""The figures that a host has of the same bytes, side by side.

What is here is for programs without an event loop; ssh and gRPC are imported when it is called.
"""

from collections.abc import Sequence

from ops.model import Fleet, Host
from ops.reporting.comparing.connections import METHOD, Estimate
from ops.reporting.comparing.figures import EXPECTED, Comparison, Figures

__all__ = ["EXPECTED", "METHOD", "Comparison", "Estimate", "Figures", "compare"]


def compare(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float = 10.0, over: float | None = None
) -> Comparison:
    """Return every figure of *hosts*: since their cores began, or *over* so many seconds.

    The network card's is since boot, unless *over* says otherwise. A host whose core does not
    answer still has the others; a failure is one that ssh does not reach within *deadline*.
    """
    from ops.counting.reading.event_loop import runner
    from ops.reporting.comparing.asking import compared

    with runner(len(hosts)) as loop:
        return loop.run(compared(fleet, hosts, deadline=deadline, over=over))
