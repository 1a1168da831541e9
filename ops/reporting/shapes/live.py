"""The JSON of live figures: traffic, counters for scripts, the state of hosts."""

from typing import TYPE_CHECKING, Any

from ops.model import Reading, Traffic
from ops.reporting.live import LiveReport
from ops.reporting.rows import COLUMNS, LiveRow
from ops.reporting.shapes.values import failures, moment, moment_or_none, traffic_bytes

if TYPE_CHECKING:
    from ops.reporting.hosts import HostReport


def live_traffic(report: LiveReport) -> dict[str, Any]:
    """Return the JSON of `ops traffic`."""
    return {
        "traffic": [
            {name: getattr(row, name) for name in COLUMNS[report.by]}
            | {"in_inventory": row.in_inventory, **_amount(row)}
            for row in report.rows
        ],
        "certainty": report.certainty,
        "hosts": [_reading(reading) for reading in report.readings],
        "failures": failures(report.failures),
    }


def counters_of_keys(rows: list[LiveRow]) -> list[dict[str, Any]]:
    """Return the JSON of `ops stats users`."""
    return [{"key": row.key, **_amount(row)} for row in rows]


def counters_of_key(key: str, traffic: Traffic) -> dict[str, Any]:
    """Return the JSON of `ops stats user`."""
    return {"key": key, "traffic_bytes": traffic_bytes(traffic)}


def host(report: "HostReport") -> dict[str, Any]:
    """Return the JSON of one host in `ops hosts`."""
    return {
        "host": report.host,
        "state": report.state,
        "core": report.core,
        "uptime_seconds": None if report.uptime is None else int(report.uptime.total_seconds()),
        "counting_since": moment_or_none(report.counting_since),
        "keys_used": report.keys_used,
        "way": report.way,
        "reason": report.reason,
    }


def _amount(row: LiveRow) -> dict[str, Any]:
    """Return the certainty and the traffic of *row*; the traffic is null if it is unknown."""
    amount = None if row.certainty == "unknown" else traffic_bytes(row.traffic)
    return {"certainty": row.certainty, "traffic_bytes": amount}


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "host": reading.host,
        "run": reading.run,
        "read_at": moment(reading.read_at),
        "counting_since": moment(reading.counting_since),
        "way": reading.way,
    }
