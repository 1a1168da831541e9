"""The JSON of single values: amounts, moments, failures."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ops.errors import HostError
from ops.model import Traffic


def mb(count: int) -> float:
    """Return *count* bytes in MB; 1 MB is 1048576 bytes.

    >>> mb(1572864)
    1.5
    """
    return round(count / 1048576, 6)


def traffic_bytes(traffic: Traffic) -> dict[str, Any]:
    """Return uplink, downlink and total of *traffic*, in bytes and in MB."""
    parts = {"uplink": traffic.uplink, "downlink": traffic.downlink, "total": traffic.total}
    return {
        **{f"{name}_bytes": value for name, value in parts.items()},
        **{f"{name}_mb": mb(value) for name, value in parts.items()},
        "source": "xray_api",
    }


def moment(when: datetime) -> str:
    """Return *when* in RFC 3339 and UTC, to the second.

    >>> moment(datetime(2026, 11, 22, 12, tzinfo=UTC))
    '2026-11-22T12:00:00Z'
    """
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment_or_none(when: datetime | None) -> str | None:
    """Return *when* as :func:`moment` does, or None."""
    return None if when is None else moment(when)


def failures(errors: Iterable[HostError]) -> list[dict[str, str]]:
    """Return the host and the reason of each failure."""
    return [{"host": error.host, "reason": error.reason} for error in errors]
