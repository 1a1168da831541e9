"""Turn the core's counters into a reading. Knows their names, not how they came here.

Names, by Xray-core's app/dispatcher/default.go and app/proxyman/{inbound,outbound}:
``user>>>NAME>>>traffic>>>uplink``, and the same with ``inbound`` or ``outbound`` and a tag.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from sys import intern
from typing import Literal

from ops.errors import ApiError
from ops.model import Reading, Traffic
from ops.model.layout import API_INBOUND, RUN_PREFIX

MARK = ">>>"
TRAFFIC = ">>>traffic"


def reading_of(
    counters: Iterable[tuple[str, int]],
    *,
    host: str,
    way: Literal["socket", "port", "exec"],
    read_at: datetime,
    counting_since: datetime,
) -> Reading:
    """Return what *counters*, (name, bytes) pairs of one reply, say about *host*.

    The API's own inbound and the outbound that carries the run's identity are left out. Raise
    ApiError where the core counts nothing: it then answers, but with an empty list.
    """
    users, inbounds, outbounds = _by_kind(counters)
    if not inbounds:
        raise ApiError(
            host,
            "its core keeps no statistics (`stats` and `policy.system` are missing in its"
            f" config): roll it out with `pyinfra inventory deploy.py --limit {host}`",
        )
    inbounds.pop(API_INBOUND, None)
    return Reading(
        host=host,
        run=_take_run(outbounds),
        read_at=read_at,
        counting_since=counting_since,
        users=users,
        inbounds=inbounds,
        outbounds=outbounds,
        way=way,
    )


def _by_kind(counters: Iterable[tuple[str, int]]) -> tuple[dict[str, Traffic], ...]:
    """Return the traffic of users, inbounds and outbounds, by name; what else is counted is not.

    A name may hold the mark itself, so only the ends of a counter's name are looked at. One of
    two directions may have no counter: that is 0.
    """
    uplink: dict[str, int] = {}
    downlink: dict[str, int] = {}
    directions = {"uplink": uplink, "downlink": downlink}
    for counter, value in counters:
        whose, _, direction = counter.rpartition(MARK)
        if direction in directions:
            directions[direction][whose] = value
    kinds: dict[str, dict[str, Traffic]] = {"user": {}, "inbound": {}, "outbound": {}}
    for whose in uplink | downlink:
        kind, _, name = whose.removesuffix(TRAFFIC).partition(MARK)
        if kind in kinds and whose.endswith(TRAFFIC):
            # The same names come from every host: one string is enough for all.
            kinds[kind][intern(name)] = Traffic(uplink.get(whose, 0), downlink.get(whose, 0))
    return tuple(kinds.values())


def began(read_at: datetime, uptime: int) -> datetime:
    """Return when a run began that was *uptime* seconds old at *read_at*, to the second."""
    return (read_at - timedelta(seconds=uptime)).replace(microsecond=0)


def _take_run(outbounds: dict[str, Traffic]) -> str:
    """Take the run's own outbound away from *outbounds* and return its identity, or nothing."""
    tag = next((tag for tag in outbounds if tag.startswith(RUN_PREFIX)), RUN_PREFIX)
    outbounds.pop(tag, None)
    return tag.removeprefix(RUN_PREFIX)
