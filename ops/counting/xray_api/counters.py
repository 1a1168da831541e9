"""Turn the core's counters into a reading, without knowing how they were fetched.

Names, according to Xray-core's app/dispatcher/default.go and app/proxyman/{inbound,outbound}:
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
"""Characters in the name of a counter."""
_RUN = re.compile(r"[0-9A-Za-z-]{1,64}")


def reading_of(
    counters: Iterable[tuple[str, int]],
    *,
    host: str,
    way: Literal["socket", "port", "exec"],
    read_at: datetime,
    counting_since: datetime,
) -> Reading:
    """Return the reading of *host* in *counters*, the (name, bytes) pairs of one reply.

    The API's own inbound is left out, and so is the outbound that is named after the run. Raise
    ApiError if the core counts nothing, because it then answers with an empty list. Raise it also
    for names and numbers that no core of this fleet can have.
    """
    try:
        users, inbounds, outbounds = _by_kind(counters)
        run = _take_run(outbounds)
    except ValueError as error:
        raise ApiError(host, f"its API sent an impossible answer: {error}") from None
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
    """Return the traffic of users, of inbounds and of outbounds, each by name.

    Other counters are ignored. A direction without a counter is 0. Raise ValueError for counters
    that are impossible.
    """
    values: dict[tuple[str, str], dict[str, int]] = {place: {} for place in _PLACES}
    for counter, value in counters:
        if parts := _parts(text_of(counter, _LONGEST)):
            place, name = parts
            if not name:
                raise ValueError(f"{counter} names nobody")
            if name in values[place]:
                raise ValueError(f"it counts {counter} twice")
            values[place][name] = count_of(value)
    kinds = (_joined(values[kind, "uplink"], values[kind, "downlink"]) for kind in _KINDS)
    return tuple(map(_plausible, kinds))


def _plausible(used: dict[str, Traffic]) -> dict[str, Traffic]:
    """Return *used*; ValueError if its sum is too large, so that sums over runs cannot overflow."""
    if sum(traffic.total for traffic in used.values()) > LARGEST_COUNT:
        raise ValueError("its counters add up to more than 9 PB")
    return used


@lru_cache(maxsize=100_000)  # all hosts send the same names in every round
def _parts(counter: str) -> tuple[tuple[str, str], str] | None:
    """Return ((kind, direction), name) of *counter*; None if it does not count traffic.

    A name can contain ``>>>``, so only the beginning and the end are parsed.
    """
    subject, _, direction = counter.rpartition(MARK)
    kind, _, name = subject.removesuffix(TRAFFIC).partition(MARK)
    place = (kind, direction)
    return (place, name) if place in _PLACES and subject.endswith(TRAFFIC) else None


def _joined(uplink: dict[str, int], downlink: dict[str, int]) -> dict[str, Traffic]:
    joined = {name: Traffic(value, downlink.get(name, 0)) for name, value in uplink.items()}
    return joined | {n: Traffic(0, value) for n, value in downlink.items() if n not in uplink}


def began(read_at: datetime, uptime: int) -> datetime:
    """Return the start, to the second, of a run that was *uptime* seconds old at *read_at*."""
    return (read_at - timedelta(seconds=uptime)).replace(microsecond=0)


def _take_run(outbounds: dict[str, Traffic]) -> str:
    """Remove the outbound of the run from *outbounds*; return the run's identity, or an empty text.

    Raise ValueError for several runs.
    """
    tags = [tag for tag in outbounds if tag.startswith(RUN_PREFIX)]
    for tag in tags:
        outbounds.pop(tag)
    runs = [tag.removeprefix(RUN_PREFIX) for tag in tags]
    if len(runs) > 1 or not all(map(_RUN.fullmatch, runs)):
        raise ValueError(f"{', '.join(runs[:2])!r} is not one run")
    return runs[0] if runs else ""
