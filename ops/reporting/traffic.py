"""Sum what readings say: per key, host and inbound. Knows no ssh, no API, no terminal."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ops.model import Certainty, Fleet, Host, Reading, Traffic
from ops.model.key import key_of

Grouping = Literal["key", "host", "both", "inbound"]
Place = tuple[str, str, str]
"""What a row is about: its key, host and inbound; empty is what it is not about."""
_NOTHING = Traffic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one key, host or inbound moved; what the row is not about is empty."""

    key: str = ""
    host: str = ""
    inbound: str = ""
    traffic: Traffic
    known: bool = True
    """Whether the inventory still has it: a removed key counts on until the core restarts."""
    certainty: Certainty = "exact"
    """``unknown``: no host that it is on answered, and *traffic* is nothing."""


def rows(
    fleet: Fleet,
    readings: Iterable[Reading],
    by: Grouping,
    keys: Iterable[str] | None = None,
    unread: Collection[str] = (),
) -> list[Row]:
    """Return *readings* summed *by* key, host, both or inbound, most traffic first.

    Keys of the inventory that never connected are there with 0. *keys* names those that count;
    None means all, and keys that the inventory no longer has. *unread* names hosts that did not
    answer: what is on them, too, is *at least*, and what is on none but them is *unknown*.
    """
    wanted = None if keys is None or by == "inbound" else set(keys)
    sums: dict[Place, Traffic] = {}
    unsure: set[Place] = set()
    for reading in readings:
        host = fleet.host(reading.host)
        spliced = host.accounting == "spliced"
        for name, traffic in _counted(fleet, host, reading, by):
            if wanted is None or name in wanted:
                place = _place(name, host.name, by)
                sums[place] = sums[place] + traffic if place in sums else traffic
                if spliced:  # what still flows is not counted yet
                    unsure.add(place)
    for host in map(fleet.host, unread):
        named = (name for name in _names(fleet, host, by) if wanted is None or name in wanted)
        unsure |= {_place(name, host.name, by) for name in named}
    known = {key.name for key in fleet.keys}
    if by == "key" and unread:  # a key that was removed may have been on those, too
        unsure |= {place for place in sums if place[0] not in known}
    return _ordered(_row(known, place, sums, unsure) for place in sums.keys() | unsure)


def sure_bytes(row: Row) -> Mapping[str, object]:
    """Return how much *row* is and how sure that is, as JSON says it; null where it is unknown."""
    unknown = row.certainty == "unknown"
    amount = None if unknown else traffic_bytes(row.traffic)
    return {"certainty": row.certainty, "traffic_bytes": amount}


def _row(known: set[str], place: Place, sums: Mapping[Place, Traffic], unsure: set[Place]) -> Row:
    key, host, inbound = place
    certainty: Certainty = "exact"
    if place in unsure:
        certainty = "at least" if place in sums else "unknown"
    return Row(
        key=key,
        host=host,
        inbound=inbound,
        traffic=sums.get(place, _NOTHING),
        known=not key or key in known,
        certainty=certainty,
    )


def _place(name: str, host: str, by: Grouping) -> Place:
    if by == "inbound":
        return "", host, name
    return name if by != "host" else "", host if by != "key" else "", ""


def _counted(
    fleet: Fleet, host: Host, reading: Reading, by: Grouping
) -> Iterable[tuple[str, Traffic]]:
    """Return what *reading* says of each key, or inbound; 0 for keys that never connected."""
    if by == "inbound":
        return reading.inbounds.items()
    return (dict.fromkeys(_names(fleet, host, by), _NOTHING) | per_key(reading)).items()


def _names(fleet: Fleet, host: Host, by: Grouping) -> Iterable[str]:
    """Return the keys that open *host*, or its inbounds."""
    if by == "inbound":
        return [inbound.name for inbound in host.inbounds]
    return [key.name for key in fleet.keys_opening(host)]


def per_key(reading: Reading) -> dict[str, Traffic]:
    """Return what each key used in *reading*, its generations together."""
    used: dict[str, Traffic] = {}
    for user, traffic in reading.users.items():
        name = key_of(user)
        if not name:  # nobody's: it keeps an inbound without users open to them
            continue
        used[name] = used[name] + traffic if name in used else traffic
    return used


def total(rows: Iterable[Row]) -> Traffic:
    """Return the sum of *rows*."""
    return sum((row.traffic for row in rows), Traffic())


def mb(count: int) -> float:
    """Return *count* bytes in MB, as JSON shows them everywhere: 1 MB is 1048576 bytes.

    >>> mb(1572864)
    1.5
    """
    return round(count / 1048576, 6)


def traffic_bytes(traffic: Traffic) -> Mapping[str, int | float | str]:
    """Return *traffic* in the shape that JSON shows it in everywhere."""
    parts = {"uplink": traffic.uplink, "downlink": traffic.downlink, "total": traffic.total}
    return {
        **{f"{name}_bytes": value for name, value in parts.items()},
        **{f"{name}_mb": mb(value) for name, value in parts.items()},
        "source": "xray_api",
    }


def _ordered(rows: Iterable[Row]) -> list[Row]:
    def order(row: Row) -> tuple[bool, int, str, str, str]:
        return row.certainty == "unknown", -row.traffic.total, row.key, row.host, row.inbound

    return sorted(rows, key=order)


def rates(
    fleet: Fleet,
    now: Iterable[Reading],
    before: Iterable[Reading],
    by: Grouping,
    keys: Iterable[str] | None = None,
    asked: Iterable[str] = (),
) -> list[Row]:
    """Return bytes a second between two readings of the same run of each host.

    A host that was not read twice, whose core restarted in between, or whose counters somebody
    reset has no rate yet; those of *asked*, the names of hosts, are unread then.
    """
    earlier = {(reading.host, reading.run): reading for reading in before}
    pairs = [(reading, earlier.get((reading.host, reading.run))) for reading in now]
    slowed = [_per_second(reading, old) for reading, old in pairs if old and not fell(reading, old)]
    read = {reading.host for reading in slowed}
    return rows(fleet, slowed, by, keys, [name for name in asked if name not in read])


def fell(now: Reading, before: Reading) -> bool:
    """Return whether a counter is lower than it was, or gone: what moved meanwhile is unknown."""
    return any(
        (new := counters.get(name, _NOTHING)).uplink < old.uplink or new.downlink < old.downlink
        for counters, olds in ((now.users, before.users), (now.inbounds, before.inbounds))
        for name, old in olds.items()
    )


def _per_second(now: Reading, before: Reading) -> Reading:
    seconds = (now.read_at - before.read_at).total_seconds()
    seconds = max(seconds, 0.001)  # the clock here may have been set back

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
