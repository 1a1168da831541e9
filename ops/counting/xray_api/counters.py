"""Turn the core's counters into a reading. Knows their names, not how they came here.

Names, by Xray-core's app/dispatcher/default.go and app/proxyman/{inbound,outbound}:
``user>>>NAME>>>traffic>>>uplink``, and the same with ``inbound`` or ``outbound`` and a tag.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Literal

from ops.errors import ApiError
from ops.model import Reading, Traffic
from ops.model.layout import API_INBOUND, RUN_PREFIX
from ops.model.untrusted import LARGEST_COUNT, LONGEST_NAME, count_of, text_of

MARK = ">>>"
TRAFFIC = ">>>traffic"
_KINDS = ("user", "inbound", "outbound")
_PLACES = tuple(product(_KINDS, ("uplink", "downlink")))
_LONGEST = LONGEST_NAME + 40
"""Characters of a counter's whole name."""
_RUN = re.compile(r"[0-9A-Za-z-]{1,64}")


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
    ApiError where the core counts nothing: it then answers, but with an empty list. The same for
    names and numbers that no core of ours has.
    """
    try:
        users, inbounds, outbounds = _by_kind(counters)
        run = _take_run(outbounds)
    except ValueError as error:
        raise ApiError(host, f"its API says what no core of ours says: {error}") from None
    if not inbounds:
        raise ApiError(
            host,
            "its core keeps no statistics (`stats` and `policy.system` are missing in its"
            f" config): roll it out with `pyinfra inventory deploy.py --limit {host}`",
        )
    inbounds.pop(API_INBOUND, None)
    return Reading(
        host=host,
        run=run,
        read_at=read_at,
        counting_since=counting_since,
        users=users,
        inbounds=inbounds,
        outbounds=outbounds,
        way=way,
    )


def _by_kind(counters: Iterable[tuple[str, int]]) -> tuple[dict[str, Traffic], ...]:
    """Return the traffic of users, inbounds and outbounds, by name; what else is counted is not.

    One of two directions may have no counter: that is 0.
    """
    values: dict[tuple[str, str], dict[str, int]] = {place: {} for place in _PLACES}
    for counter, value in counters:
        if parts := _parts(text_of(counter, _LONGEST)):
            place, name = parts
            if not name:
                raise ValueError(f"{counter} is of nobody")
            if name in values[place]:
                raise ValueError(f"it counts {counter} twice")
            values[place][name] = count_of(value)
    kinds = (_joined(values[kind, "uplink"], values[kind, "downlink"]) for kind in _KINDS)
    return tuple(map(_plausible, kinds))


def _plausible(used: dict[str, Traffic]) -> dict[str, Traffic]:
    """Return *used*, whose sum is bounded: sums over many runs must not overflow."""
    if sum(traffic.total for traffic in used.values()) > LARGEST_COUNT:
        raise ValueError("its counters add up to more than 9 PB")
    return used


@lru_cache(maxsize=100_000)  # the same names come from every host, round after round
def _parts(counter: str) -> tuple[tuple[str, str], str] | None:
    """Return the kind and direction, and the name, that *counter* is of; None if of no traffic.

    A name may hold the mark itself, so only the ends are looked at.
    """
    whose, _, direction = counter.rpartition(MARK)
    kind, _, name = whose.removesuffix(TRAFFIC).partition(MARK)
    place = (kind, direction)
    return (place, name) if place in _PLACES and whose.endswith(TRAFFIC) else None


def _joined(uplink: dict[str, int], downlink: dict[str, int]) -> dict[str, Traffic]:
    joined = {name: Traffic(value, downlink.get(name, 0)) for name, value in uplink.items()}
    return joined | {n: Traffic(0, value) for n, value in downlink.items() if n not in uplink}


def began(read_at: datetime, uptime: int) -> datetime:
    """Return when a run began that was *uptime* seconds old at *read_at*, to the second."""
    return (read_at - timedelta(seconds=uptime)).replace(microsecond=0)


def _take_run(outbounds: dict[str, Traffic]) -> str:
    """Take the run's own outbound away from *outbounds* and return its identity, or nothing."""
    tags = [tag for tag in outbounds if tag.startswith(RUN_PREFIX)]
    for tag in tags:
        outbounds.pop(tag)
    runs = [tag.removeprefix(RUN_PREFIX) for tag in tags]
    if len(runs) > 1 or not all(map(_RUN.fullmatch, runs)):
        raise ValueError(f"{', '.join(runs[:2])!r} is not one run")
    return runs[0] if runs else ""
