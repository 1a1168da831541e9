"""Live traffic: the counters of the running cores, read just now."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

from ops.counting import reading
from ops.counting.reading import DEADLINE, Round
from ops.errors import HostError
from ops.model import Certainty, Reading, Traffic
from ops.reporting.rows import Grouping, LiveRow, rows, total
from ops.reporting.selection import Selection


@dataclass(frozen=True, kw_only=True)
class LiveReport:
    """The counters of the selected hosts, each since its core started, summed into rows."""

    by: Grouping
    rows: tuple[LiveRow, ...]
    """Most traffic first."""
    readings: tuple[Reading, ...]
    failures: tuple[HostError, ...]
    unread: tuple[str, ...]
    """The names of the selected hosts that the sums lack: failed or in maintenance."""

    @cached_property
    def total(self) -> Traffic:
        """Return the sum of the rows."""
        return total(self.rows)

    @property
    def certainty(self) -> Certainty:
        """Return the certainty of the total."""
        if not self.readings:
            return "unknown"
        exact = all(row.certainty == "exact" for row in self.rows) and not self.unread
        return "exact" if exact else "at least"


def read_live(
    selection: Selection,
    by: Grouping = "key",
    *,
    deadline: float = DEADLINE,
    progress: Callable[[], None] | None = None,
) -> LiveReport:
    """Read the selected hosts once and sum their counters *by* key, host, both or inbound.

    A host that does not answer within *deadline* seconds is a failure of the report.
    *progress* is called once for each host that answered or failed.
    """
    answer = reading.read_hosts(
        selection.fleet,
        selection.hosts,
        deadline=deadline,
        progress=(lambda *_: progress()) if progress else None,
    )
    return live_report(selection, answer, by)


def live_report(selection: Selection, answer: Round, by: Grouping = "key") -> LiveReport:
    """Return the report of one round of readings."""
    unread = [error.host for error in answer.failures] + [host.name for host in selection.away]
    lines = rows(selection.fleet, answer.readings, by, selection.key_names, unread)
    return LiveReport(
        by=by,
        rows=tuple(lines),
        readings=answer.readings,
        failures=answer.failures,
        unread=tuple(unread),
    )


def watch_rates(
    selection: Selection, by: Grouping = "key", *, every: float, deadline: float = DEADLINE
) -> Generator[LiveReport, None, None]:
    """Read the selected hosts each *every* seconds, for ever; yield rates in bytes a second.

    The first report has no rows, because a rate needs two readings. Close the generator to close
    the connections to the hosts.
    """
    from ops.reporting.rates import rates

    before: Sequence[Reading] = ()
    names = [host.name for host in (*selection.hosts, *selection.away)]
    rounds = reading.watch(selection.fleet, selection.hosts, every=every, deadline=deadline)
    with closing(rounds):
        for answer in rounds:
            now = answer.readings
            lines = (
                rates(selection.fleet, now, before, by, selection.key_names, names)
                if before
                else []
            )
            read = {one.host for one in now}
            yield LiveReport(
                by=by,
                rows=tuple(lines),
                readings=now,
                failures=answer.failures,
                unread=tuple(name for name in names if name not in read),
            )
            before = now
