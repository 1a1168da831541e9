"""A reading that a host kept on its disk: the core's own printout, with when and of which run."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from ops.errors import ApiError
from ops.model import Reading
from ops.xray_api.counters import reading_of

STOP = "last"
"""The kind that the stop hook writes: whatever ended the run, it was planned."""


def reading_in(text: str, host: str) -> tuple[Reading, bool]:
    """Return the reading in *text*, and whether it was taken at the stop of its run.

    ValueError where it is not whole, or its counters are of another run than it says.
    """
    try:
        held = json.loads(text)
        counters = [(s["name"], int(s.get("value", 0))) for s in held["statsquery"]["stat"]]
        read_at = _moment(held["read_at"])
        reading = reading_of(
            counters,
            host=host,
            way="exec",
            read_at=read_at,
            counting_since=_moment(held["counting_since"] or held["read_at"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, ApiError) as error:
        raise ValueError(f"it is no reading: {error}") from None
    if not reading.run or reading.run != held["run"]:
        raise ValueError("its counters are not of the run that it names")
    return replace(reading, way="disk"), held.get("kind") == STOP


def _moment(written: Any) -> datetime:
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError(f"{written!r} says no time zone")
    return moment
