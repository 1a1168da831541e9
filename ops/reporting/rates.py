"""Bytes a second between two readings of the same hosts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ops.model import Fleet, Reading, Traffic
from ops.reporting.rows import Grouping, LiveRow, rows

_NOTHING = Traffic()


def rates(
    fleet: Fleet,
    now: Iterable[Reading],
    before: Iterable[Reading],
    by: Grouping,
    keys: Iterable[str] | None = None,
    asked: Iterable[str] = (),
) -> list[LiveRow]:
    """Return bytes a second between two readings of the same run of each host.

    A host has no rate yet if it was read once, if its core restarted in between, or if somebody
    reset its counters. Such hosts among *asked*, the names of the selected hosts, count as unread.
    """
    earlier = {(reading.host, reading.run): reading for reading in before}
    pairs = [(reading, earlier.get((reading.host, reading.run))) for reading in now]
    slowed = [_per_second(reading, old) for reading, old in pairs if old and not fell(reading, old)]
    read = {reading.host for reading in slowed}
    return rows(fleet, slowed, by, keys, [name for name in asked if name not in read])


def fell(now: Reading, before: Reading) -> bool:
    """Return whether a counter is lower than before, or gone.

    Traffic between the two readings is unknown then.
    """
    return any(
        (new := counters.get(name, _NOTHING)).uplink < old.uplink or new.downlink < old.downlink
        for counters, olds in ((now.users, before.users), (now.inbounds, before.inbounds))
        for name, old in olds.items()
    )


def less(now: Mapping[str, Traffic], before: Mapping[str, Traffic]) -> dict[str, Traffic]:
    """Return each counter of *now* less its value *before*."""
    return {name: used - before.get(name, _NOTHING) for name, used in now.items()}


def _per_second(now: Reading, before: Reading) -> Reading:
    seconds = (now.read_at - before.read_at).total_seconds()
    seconds = max(seconds, 0.001)  # the clock of this machine may have been set back

    def rate(counters: Mapping[str, Traffic], olds: Mapping[str, Traffic]) -> dict[str, Traffic]:
        return {
            name: Traffic(round(moved.uplink / seconds), round(moved.downlink / seconds))
            for name, moved in less(counters, olds).items()
        }

    return replace(
        now,
        users=rate(now.users, before.users),
        inbounds=rate(now.inbounds, before.inbounds),
    )
