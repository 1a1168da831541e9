"""A reading that a host kept on its disk: the core's own printout, with when and of which run."""

from dataclasses import replace
from datetime import UTC, datetime

from ops.counting.xray_api.counters import reading_of
from ops.counting.xray_api.printed import pairs_of
from ops.errors import ApiError
from ops.model import Reading
from ops.model.untrusted import json_of, object_of, shortened, text_of

STOP = "last"
"""The kind that the stop hook writes: whatever ended the run, it was planned."""
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Moments that a clock, however wrong, can show and that every database can hold."""


def reading_in(content: str, host: str) -> tuple[Reading, bool]:
    """Return the reading in *content*, and whether it was taken at the stop of its run.

    ValueError where it is not whole, or its counters are of another run than it says.
    """
    try:
        held = object_of(json_of(content))
        read_at = _moment(held["read_at"])
        reading = reading_of(
            pairs_of(held["statsquery"]),
            host=host,
            way="exec",
            read_at=read_at,
            counting_since=_moment(held["counting_since"] or held["read_at"]),
        )
    except KeyError as error:
        raise ValueError(f"it is no reading: it has no field {error}") from None
    except (ValueError, ApiError) as error:
        reason = error.reason if isinstance(error, ApiError) else error
        raise ValueError(f"it is no reading: {reason}") from None
    if not reading.run or reading.run != held.get("run"):
        raise ValueError("its counters are not of the run that it names")
    return replace(reading, way="disk"), held.get("kind") == STOP


def _moment(written: object) -> datetime:
    moment = datetime.fromisoformat(text_of(written, 40))
    if moment.tzinfo is None:
        raise ValueError(f"{shortened(written)} says no time zone")
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError(f"{shortened(written)} is no moment of these centuries")
    return moment.astimezone(UTC)
