"""Tables and CSV of live traffic."""

from collections.abc import Callable, Iterator

from ops.cli.printing import console
from ops.model import Traffic
from ops.model.phrases import listed
from ops.reporting.live import LiveReport
from ops.reporting.rows import COLUMNS, Grouping, LiveRow

_Written = Callable[[float], str]


def text(report: LiveReport) -> str:
    """Return the table of *report* below its heading."""
    read = len(report.readings)
    label = f"total of {read} of {read + len(report.unread)} hosts" if report.unread else "total"
    return "\n".join([*_heading(report), "", _table(report, console.size, label)])


def rates(report: LiveReport) -> str:
    """Return the table of a report of rates."""
    return _table(report, lambda count: f"{console.size(count)}/s", "total")


def csv(report: LiveReport) -> str:
    """Return *report* as CSV."""
    columns = COLUMNS[report.by]
    headings = [*columns, "uplink_bytes", "downlink_bytes", "total_bytes", "certainty"]
    body = (
        [*(getattr(row, name) for name in columns), *_figures(row, str, ""), row.certainty]
        for row in report.rows
    )
    return console.as_csv(headings, body)


def _heading(report: LiveReport) -> Iterator[str]:
    """Yield the time since which the cores count, and the hosts that were read in a slower way."""
    readings = report.readings
    first = min(readings, key=lambda reading: reading.counting_since)
    last = max(readings, key=lambda reading: reading.counting_since)
    since = f"since {first.counting_since:%Y-%m-%d %H:%M:%S} UTC ({first.host})"
    if last.counting_since != first.counting_since:
        latest = f"{last.counting_since:%Y-%m-%d %H:%M:%S} UTC ({last.host})"
        since += f" at the earliest, {latest} at the latest"
    yield f"Live counters {since}. They restart at 0 with the core: for billing use `ops usage`."
    if executed := [reading.host for reading in readings if reading.way == "exec"]:
        reason = "because sshd there forbids forwarding"
        yield f"Read by the host's own `xray api`, {reason}: {listed(executed)}."


def _table(report: LiveReport, written: _Written, label: str) -> str:
    columns = COLUMNS[report.by]
    body = [[*_names(report.by, row), *_figures(row, written)] for row in report.rows]
    last = [label, *[""] * (len(columns) - 1), *_amounts(report.total, written)]
    headings = [*columns, "up", "down", "total"]
    if all(row.certainty == "exact" for row in report.rows):
        return console.table(headings, [*body, last], numbers=3)
    rows = [[*cells, row.certainty] for cells, row in zip(body, report.rows, strict=True)]
    return console.table([*headings, "certainty"], [*rows, [*last, "at least"]], numbers=4)


def _names(by: Grouping, row: LiveRow) -> list[str]:
    names = [str(getattr(row, column)) for column in COLUMNS[by]]
    if not row.in_inventory:
        names[0] += " (removed)"
    return names


def _figures(row: LiveRow, written: _Written, unknown: str = "?") -> list[str]:
    return [unknown] * 3 if row.certainty == "unknown" else _amounts(row.traffic, written)


def _amounts(traffic: Traffic, written: _Written) -> list[str]:
    return [written(count) for count in (traffic.uplink, traffic.downlink, traffic.total)]
