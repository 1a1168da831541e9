"""Bring home what a host keeps beside its core's memory, over a line that is open."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time

from ops.collecting.clocks import ahead
from ops.collecting.kept import reading_in
from ops.collecting.looking import LOOK, Kept, chunks, fetched, fetching, seen
from ops.errors import HostError
from ops.model import NicCounters, Reading
from ops.tunnel import Deadline, Line


@dataclass(slots=True)
class Look:
    """What a look brought home."""

    readings: list[Reading] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    """Runs that ended as somebody wanted."""
    nic: NicCounters | None = None
    whole: bool = False
    """Whether the disk holds nothing else that is worth reading."""
    ahead: float = 0.0
    """Seconds by which its clock is ahead of ours, negative if it is behind."""
    troubles: list[str] = field(default_factory=list)


async def look(line: Line, besides: Collection[str], until: Deadline) -> Look:
    """Return the readings on the host's disk, *besides* those of some runs, and its card.

    Nothing is raised: what could not be read is among the troubles.
    """
    found = Look()
    try:
        asked = time()
        printed = await line.run(LOOK, until)
        at_once = seen(printed, line.host.name, datetime.now(UTC))
        found.nic, found.ahead = at_once.nic, ahead(at_once.clock, asked, time())
        await _fetch(line, found, [one for one in at_once.kept if one.run not in besides], until)
        found.whole = True
    except (HostError, ValueError) as error:
        # A part of what it kept is worse than nothing: the ledger would take the rest as new.
        found.readings.clear()
        reason = error.reason if isinstance(error, HostError) else str(error)
        found.troubles.append(f"what it keeps on its disk could not be read: {reason}")
    return found


async def _fetch(line: Line, found: Look, kept: list[Kept], until: Deadline) -> None:
    for part in chunks(kept):
        for name, text in fetched(await line.run(fetching(part), until)):
            try:
                reading, at_its_stop = reading_in(text, line.host.name)
            except ValueError as error:
                found.troubles.append(f"{name} on its disk is left out: {error}")
            else:
                found.readings.append(reading)
                found.stopped |= {reading.run} if at_its_stop else set()
