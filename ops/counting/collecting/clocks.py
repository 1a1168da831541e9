"""Find wrong clocks. They lose no byte, but may book some bytes on another day."""

from collections.abc import Iterator, Mapping

TOLERATED = 60.0
"""Seconds between two clocks that cause no warning."""
_WRONG_HERE = (
    "the clock of this machine is {} that of every host: set it right (`timedatectl`), because"
    " readings are booked by it"
)
_WRONG_HOST = (
    "{}: its clock is {} this machine's: set it right (`timedatectl`), because the readings on its"
    " disk are booked by it"
)


def seconds_ahead(clock: int | None, asked: float, answered: float) -> float:
    """Return by how many seconds a host's *clock* is ahead, negative if it is behind.

    *clock* is in whole seconds since 1970, None if unknown. The host read it between *asked* and
    *answered*, which are times of the clock here.

    >>> seconds_ahead(100, 90.5, 95.0), seconds_ahead(100, 99.0, 101.0)
    (5.0, 0.0)
    >>> seconds_ahead(100, 200.0, 201.0)
    -99.0
    """
    if clock is None:
        return 0.0
    return max(0.0, clock - answered) + min(0.0, clock + 1 - asked)


def clock_warnings(seconds_ahead_by_host: Mapping[str, float]) -> Iterator[str]:
    """Yield a warning for each wrong clock, or one for the clock here if all hosts differ alike."""
    wrong = {host: by for host, by in seconds_ahead_by_host.items() if abs(by) > TOLERATED}
    way = {by > 0 for by in wrong.values()}
    if len(wrong) > 1 and len(wrong) == len(seconds_ahead_by_host) and len(way) == 1:
        yield _WRONG_HERE.format(_difference(-min(wrong.values(), key=abs)))
        return
    for host, by in sorted(wrong.items()):
        yield _WRONG_HOST.format(host, _difference(by))


def _difference(by: float) -> str:
    """Return *by* in whole minutes or hours, so that each round gives the same sentence."""
    minutes = round(abs(by) / 60)
    length = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
    return f"{length} {'ahead of' if by > 0 else 'behind'}"
