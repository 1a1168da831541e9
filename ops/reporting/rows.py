"""The sums of live readings: by key, host, both or inbound."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ops.model import Certainty, Fleet, Host, Reading, Traffic
from ops.model.key import key_of

Grouping = Literal["key", "host", "both", "inbound"]
COLUMNS: Mapping[Grouping, tuple[str, ...]] = {
    "key": ("key",),
    "host": ("host",),
    "both": ("key", "host"),
    "inbound": ("host", "inbound"),
}
"""By grouping: the fields of a row that name it."""
_Label = tuple[str, str, str]
"""The key, host and inbound of a row; empty if the rows are not grouped by it."""
_NOTHING = Traffic()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """The counters of one key, host or inbound; the fields outside the grouping are empty."""

    key: str = ""
    host: str = ""
    inbound: str = ""
    traffic: Traffic
    in_inventory: bool = True
    """Whether the inventory names the key. A removed key counts until its core restarts."""
    certainty: Certainty = "exact"
    """``unknown`` if none of the hosts of the row answered; *traffic* is 0 then."""


def rows(
    fleet: Fleet,
    readings: Iterable[Reading],
    by: Grouping,
    keys: Iterable[str] | None = None,
    unread: Collection[str] = (),
) -> list[LiveRow]:
    """Return *readings* summed *by* key, host, both or inbound, most traffic first.

    Keys of the inventory that never connected have 0. *keys* are the names to sum; None means all
    keys, including those that the inventory no longer has. *unread* are the names of hosts that
    did not answer. A row is *at least* if some of its hosts are unread, and *unknown* if all are.
    """
    wanted = None if keys is None or by == "inbound" else set(keys)
    sums: dict[_Label, Traffic] = {}
    unsure: set[_Label] = set()
    for reading in readings:
        host = fleet.host(reading.host)
        spliced = host.accounting == "spliced"
        for name, traffic in _counters(fleet, host, reading, by):
            if wanted is None or name in wanted:
                label = _label(name, host.name, by)
                sums[label] = sums[label] + traffic if label in sums else traffic
                if spliced:  # bytes of open connections are not counted yet
                    unsure.add(label)
    for host in map(fleet.host, unread):
        named = (name for name in _names(fleet, host, by) if wanted is None or name in wanted)
        unsure |= {_label(name, host.name, by) for name in named}
    known = {key.name for key in fleet.keys}
    if by == "key" and unread:  # a removed key may have been on unread hosts, too
        unsure |= {label for label in sums if label[0] not in known}
    return _ordered(_row(known, label, sums, unsure) for label in sums.keys() | unsure)


def by_key(users: Mapping[str, Traffic]) -> dict[str, Traffic]:
    """Return the traffic of each key, its generations summed.

    The nameless user of an inbound without keys is left out.

    >>> by_key({"alice": Traffic(1, 2), "alice~2": Traffic(3, 4)})
    {'alice': Traffic(uplink=4, downlink=6)}
    """
    summed: dict[str, Traffic] = {}
    for user, traffic in users.items():
        name = key_of(user)
        if name:
            summed[name] = summed[name] + traffic if name in summed else traffic
    return summed


def total(rows: Iterable[LiveRow]) -> Traffic:
    """Return the sum of *rows*."""
    return sum((row.traffic for row in rows), Traffic())


def _row(
    known: set[str], label: _Label, sums: Mapping[_Label, Traffic], unsure: set[_Label]
) -> LiveRow:
    key, host, inbound = label
    certainty: Certainty = "exact"
    if label in unsure:
        certainty = "at least" if label in sums else "unknown"
    return LiveRow(
        key=key,
        host=host,
        inbound=inbound,
        traffic=sums.get(label, _NOTHING),
        in_inventory=not key or key in known,
        certainty=certainty,
    )


def _label(name: str, host: str, by: Grouping) -> _Label:
    if by == "inbound":
        return "", host, name
    return name if by != "host" else "", host if by != "key" else "", ""


def _counters(
    fleet: Fleet, host: Host, reading: Reading, by: Grouping
) -> Iterable[tuple[str, Traffic]]:
    """Return the counters of each key or inbound; 0 for keys that never connected."""
    if by == "inbound":
        return reading.inbounds.items()
    return (dict.fromkeys(_names(fleet, host, by), _NOTHING) | by_key(reading.users)).items()


def _names(fleet: Fleet, host: Host, by: Grouping) -> Iterable[str]:
    """Return the keys that open *host*, or its inbounds."""
    if by == "inbound":
        return [inbound.name for inbound in host.inbounds]
    return [key.name for key in fleet.keys_opening(host)]


def _ordered(rows: Iterable[LiveRow]) -> list[LiveRow]:
    def order(row: LiveRow) -> tuple[bool, int, str, str, str]:
        return row.certainty == "unknown", -row.traffic.total, row.key, row.host, row.inbound

    return sorted(rows, key=order)
