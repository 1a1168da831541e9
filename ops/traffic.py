"""Sum what readings say: per key, host and inbound. Knows no ssh, no API, no terminal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ops.model import Fleet, Reading, Traffic
from ops.model.key import key_of

Grouping = Literal["key", "host", "both", "inbound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one key, host or inbound moved; what the row is not about is empty."""

    key: str = ""
    host: str = ""
    inbound: str = ""
    traffic: Traffic
    known: bool = True
    """Whether the inventory still has it: a removed key counts on until the core restarts."""


def rows(
    fleet: Fleet, readings: Iterable[Reading], by: Grouping, keys: Iterable[str] | None = None
) -> list[Row]:
    """Return *readings* summed *by* key, host, both or inbound, most traffic first.

    Keys of the inventory that never connected are there with 0. *keys* names those that count;
    None means all, and keys that the inventory no longer has.
    """
    readings = list(readings)
    wanted = None if keys is None else set(keys)
    if by == "inbound":
        return _ordered(_inbounds(readings))
    known = {key.name for key in fleet.keys}
    sums: dict[tuple[str, str], Traffic] = {}
    for reading in readings:
        used = per_key(reading)
        opening = fleet.keys_opening(fleet.host(reading.host))
        for name in {*used, *(key.name for key in opening)}:
            if wanted is None or name in wanted:
                place = (name if by != "host" else "", reading.host if by != "key" else "")
                sums[place] = sums.get(place, Traffic()) + used.get(name, Traffic())
    return _ordered(
        Row(key=key, host=host, traffic=traffic, known=not key or key in known)
        for (key, host), traffic in sums.items()
    )


def per_key(reading: Reading) -> dict[str, Traffic]:
    """Return what each key used in *reading*, its generations together."""
    used: dict[str, Traffic] = {}
    for user, traffic in reading.users.items():
        name = key_of(user)
        if not name:  # nobody's: it keeps an inbound without users open to them
            continue
        used[name] = used.get(name, Traffic()) + traffic
    return used


def total(rows: Iterable[Row]) -> Traffic:
    """Return the sum of *rows*."""
    return sum((row.traffic for row in rows), Traffic())


def traffic_bytes(traffic: Traffic) -> Mapping[str, int | float | str]:
    """Return *traffic* in the shape that JSON shows it in everywhere (1 MB = 1048576 bytes)."""
    parts = {"uplink": traffic.uplink, "downlink": traffic.downlink, "total": traffic.total}
    return {
        **{f"{name}_bytes": value for name, value in parts.items()},
        **{f"{name}_mb": round(value / 1048576, 6) for name, value in parts.items()},
        "source": "xray_api",
    }


def _inbounds(readings: Iterable[Reading]) -> Iterable[Row]:
    for reading in readings:
        for name, traffic in reading.inbounds.items():
            yield Row(host=reading.host, inbound=name, traffic=traffic)


def _ordered(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.traffic.total, row.key, row.host, row.inbound))


def rates(
    fleet: Fleet,
    now: Iterable[Reading],
    before: Iterable[Reading],
    by: Grouping,
    keys: Iterable[str] | None = None,
) -> list[Row]:
    """Return bytes a second between two readings of the same run of each host.

    A host that was not read twice, or whose core restarted in between, has no rate yet.
    """
    earlier = {(reading.host, reading.run): reading for reading in before}
    pairs = [(reading, earlier.get((reading.host, reading.run))) for reading in now]
    slowed = [_per_second(reading, old) for reading, old in pairs if old]
    return rows(fleet, slowed, by, keys)


def _per_second(now: Reading, before: Reading) -> Reading:
    seconds = (now.read_at - before.read_at).total_seconds() or 1.0

    def rate(counters: Mapping[str, Traffic], old: Mapping[str, Traffic]) -> dict[str, Traffic]:
        return {
            name: Traffic(
                round((traffic.uplink - old.get(name, Traffic()).uplink) / seconds),
                round((traffic.downlink - old.get(name, Traffic()).downlink) / seconds),
            )
            for name, traffic in counters.items()
        }

    return replace(
        now,
        users=rate(now.users, before.users),
        inbounds=rate(now.inbounds, before.inbounds),
    )
