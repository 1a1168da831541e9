"""Usage from the ledger, with the certainty of each figure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ops.errors import UsageError
from ops.reporting.ledger_names import host_names, key_names
from ops.reporting.selection import Selection
from ops.reporting.spans import moment, time_zone
from ops.reporting.spans import month as year_and_month

if TYPE_CHECKING:
    from ops.ledger import By, Ledger, Missing, Narrowed, Usage, UsageRow

TIMES = ("month", "day", "hour")
"""Groupings by time, the longest first."""
RESET = "reset"
"""As *since*: from the last reset of each key."""


def usage(
    selection: Selection,
    ledger: "Ledger",
    *,
    since: str = "",
    until: str = "",
    month: str = "",
    by: "Sequence[By]" = ("key",),
    zone: str = "",
) -> "Usage":
    """Return the usage of the selected keys on the selected hosts, by default of this month.

    *since*, *until* and *month* are times as :mod:`ops.reporting.spans` reads them; *since* may
    also be ``reset``. Days and months are those of *zone*, by default of the ledger's zone. Rows
    come most traffic first, or in the order of time if *by* names hours, days or months.

    Raises UsageError for a contradiction, a glob that matches nothing, or a span finer than the
    ledger keeps.
    """
    check(since=since, until=until, month=month, by=by)
    narrowing = narrowed(selection, ledger, zone)
    if since == RESET:
        answer = ledger.usage_since_marks(**narrowing)
    else:
        span = _span(time_zone(zone or ledger.zone), since, until, month)
        answer = ledger.usage(*span, by=by, **narrowing)
    return replace(answer, rows=_ordered(answer.rows, by))


def check(*, since: str, until: str, month: str, by: "Sequence[By]") -> None:
    """Raise UsageError if these arguments of :func:`usage` contradict each other."""
    if month and (since or until):
        raise UsageError("--month and --since or --until say different things: use one")
    if since == RESET and (tuple(by) != ("key",) or until):
        raise UsageError("--since reset is by key, and until now")


def narrowed(selection: Selection, ledger: "Ledger", zone: str = "") -> "Narrowed":
    """Return the part of a question to the ledger that *selection* decides.

    Certainty depends on the whole fleet: on hosts that splice, on hosts that each key may open,
    and on hosts that should count or should have no core.
    """
    fleet = selection.fleet
    return {
        "zone": zone,
        "keys": key_names(selection, ledger),
        "hosts": host_names(selection, ledger),
        "spliced": {host.name for host in fleet.hosts if host.accounting == "spliced"},
        "opens": fleet.opened_hosts(),
        "fleet": [host.name for host in fleet.hosts if host.state != "absent"],
        "absent": [host.name for host in fleet.hosts if host.state == "absent"],
    }


def is_exact(answer: "Usage") -> bool:
    """Return whether every figure of *answer* is exact, the total included."""
    return {answer.certainty, *(row.certainty for row in answer.rows)} == {"exact"}


def reasons(answer: "Usage") -> list["Missing"]:
    """Return the reasons why some figure of *answer* is less than exact.

    Traffic without a known moment within the span of a figure does not make that figure wrong.
    """
    spans = {(answer.since, answer.until), *((row.since, row.until) for row in answer.rows)}
    return [one for one in answer.missing if any(one.effect(*span) != "exact" for span in spans)]


def rulings(answer: "Usage") -> list["Missing"]:
    """Return the doubts that a person ruled out: figures are exact if that is true."""
    return [one for one in answer.missing if one.kind == "ruled"]


def _span(zone: ZoneInfo, since: str, until: str, month: str) -> tuple[datetime, datetime]:
    from ops.ledger import month as month_in

    now = datetime.now(UTC)
    this = month_in(*year_and_month(month or "this", now.astimezone(zone).date()), zone)
    if not (since or until):
        return this
    begin = moment(since, zone, now) if since else this[0]
    return begin, moment(until, zone, now) if until else now


def _ordered(rows: Sequence["UsageRow"], by: Sequence[str]) -> tuple["UsageRow", ...]:
    most = sorted(rows, key=lambda row: (-row.traffic.total, row.key, row.host, row.life))
    return tuple(sorted(most, key=lambda row: row.since) if set(by) & set(TIMES) else most)
