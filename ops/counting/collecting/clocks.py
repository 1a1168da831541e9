"""Clocks that disagree: no byte is lost by it, but some may be booked on another day."""

from collections.abc import Iterator, Mapping

TOLERATED = 60.0
"""Seconds between two clocks that nobody need be told of."""
_HERE = (
    "the clock of this machine is {} that of every host: set it right (`timedatectl`), for what is "
    "read meanwhile is booked by it"
)
_THERE = (
    "{}: its clock is {} this machine's: set it right (`timedatectl`); what is found on its disk "
    "is booked by it"
)


def ahead(clock: int | None, asked: float, answered: float) -> float:
    """Return by how many seconds a host's *clock* is ahead, negative if it is behind.

    *asked* and *answered* are when, by the clock here; in between it may have been read.

    >>> ahead(100, 90.5, 95.0), ahead(100, 99.0, 101.0), ahead(100, 200.0, 201.0)
    (5.0, 0.0, -99.0)
    """
    if clock is None:
        return 0.0
    return max(0.0, clock - answered) + min(0.0, clock + 1 - asked)


def told(ahead_by: Mapping[str, float]) -> Iterator[str]:
    """Say whose clock is wrong, given by how many seconds that of each host is ahead of ours."""
    wrong = {host: by for host, by in ahead_by.items() if abs(by) > TOLERATED}
    way = {by > 0 for by in wrong.values()}
    if len(wrong) > 1 and len(wrong) == len(ahead_by) and len(way) == 1:
        yield _HERE.format(_off(-min(wrong.values(), key=abs)))
        return
    for host, by in sorted(wrong.items()):
        yield _THERE.format(host, _off(by))


def _off(by: float) -> str:
    """Return it in whole minutes or hours, so that a sentence is the same in the next round."""
    minutes = round(abs(by) / 60)
    length = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
    return f"{length} {'ahead of' if by > 0 else 'behind'}"
