"""Turn the core's counters into a reading. Knows their names, not how they came here.

Names, by Xray-core's app/dispatcher/default.go and app/proxyman/{inbound,outbound}:
``user>>>NAME>>>traffic>>>uplink``, and the same with ``inbound`` or ``outbound`` and a tag.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from sys import intern
from typing import Literal

from ops.errors import ApiError
from ops.model import Reading, Traffic
from ops.model.layout import API_INBOUND, RUN_PREFIX

MARK = ">>>"
UPLINK = ">>>traffic>>>uplink"
DOWNLINK = ">>>traffic>>>downlink"


@dataclass(frozen=True, slots=True)
class _Directions:
    """The counters of one kind, by name, each direction apart."""

    uplink: dict[str, int] = field(default_factory=dict)
    downlink: dict[str, int] = field(default_factory=dict)

    def add(self, rest: str, value: int) -> None:
        """Take a counter; *rest* is its name after the kind. What is no traffic is passed over."""
        if rest.endswith(UPLINK):
            self.uplink[intern(rest.removesuffix(UPLINK))] = value
        elif rest.endswith(DOWNLINK):
            self.downlink[intern(rest.removesuffix(DOWNLINK))] = value

    def traffic(self) -> dict[str, Traffic]:
        """Return both directions together; one that has no counter is 0."""
        names = self.uplink | self.downlink
        return {
            name: Traffic(self.uplink.get(name, 0), self.downlink.get(name, 0)) for name in names
        }


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
    tables = {kind: _Directions() for kind in ("user", "inbound", "outbound")}
    for name, value in counters:
        kind, _, rest = name.partition(MARK)
        if kind in tables:
            tables[kind].add(rest, value)
    users, inbounds, outbounds = (table.traffic() for table in tables.values())
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


def began(read_at: datetime, uptime: int) -> datetime:
    """Return when a run began that was *uptime* seconds old at *read_at*, to the second."""
    return (read_at - timedelta(seconds=uptime)).replace(microsecond=0)


def _take_run(outbounds: dict[str, Traffic]) -> str:
    """Take the run's own outbound away from *outbounds* and return its identity, or nothing."""
    tag = next((tag for tag in outbounds if tag.startswith(RUN_PREFIX)), RUN_PREFIX)
    outbounds.pop(tag, None)
    return tag.removeprefix(RUN_PREFIX)
