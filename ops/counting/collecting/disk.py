"""Bring home what a host keeps beside its core's memory, over a line that is open."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time

from ops.counting.collecting.belonging import Belonging, belonging
from ops.counting.collecting.clocks import ahead
from ops.counting.collecting.kept import reading_in
from ops.counting.collecting.probe import LARGEST_FILE, LOOK, Kept, chunks, fetched, fetching, seen
from ops.counting.tunnel import Deadline, Line
from ops.errors import HostError
from ops.model import NicCounters, Reading
from ops.model.visible import MOST, visible

_NAMED = 5
"""Bad files of a host that are named one by one."""


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
    belonging: Belonging | None = None
    """The machine; None if the look failed."""
    damaged: set[str] = field(default_factory=set)
    """Runs of which a reading is there that cannot be read."""
    vanished: list[str] = field(default_factory=list)
    """Files that were listed, and could not be read a moment later."""
    troubles: list[str] = field(default_factory=list)
    set_aside: dict[str, str] = field(default_factory=dict)
    """Files that hold no reading, and why; the others are read all the same."""

    def told(self) -> list[str]:
        """Return the troubles, those of files as a few lines."""
        named = [f"{name} on its disk is left out: {why}" for name, why in self.set_aside.items()]
        more = len(named) - _NAMED
        rest = [f"{more} more files on its disk are left out"] if more > 0 else []
        again = [f"{name} on its disk could not be read" for name in self.vanished[:_NAMED]]
        return [*self.troubles, *named[:_NAMED], *rest, *again]

    def leave_out(self, name: str, run: str, why: str) -> None:
        """Set the file *name* of *run* aside."""
        self.set_aside[name] = why
        self.damaged.add(run)


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
        found.belonging, found.whole = belonging(printed), not found.vanished
    except (HostError, ValueError) as error:
        # A part of what it kept is worse than nothing: the ledger would take the rest as new.
        found.readings.clear()
        reason = error.reason if isinstance(error, HostError) else visible(str(error), MOST)
        found.troubles.append(f"what it keeps on its disk could not be read: {reason}")
    return found


async def _fetch(line: Line, found: Look, kept: list[Kept], until: Deadline) -> None:
    for one in kept:
        if one.size > LARGEST_FILE:
            found.leave_out(one.name, one.run, f"it has {one.size >> 20} MiB, which is no reading")
        elif not one.size:
            found.leave_out(one.name, one.run, "it is empty")
    for part in chunks([one for one in kept if 0 < one.size <= LARGEST_FILE]):
        asked = {one.name: one.run for one in part}
        for name, text in fetched(await line.run(fetching(part), until)):
            if name in asked:
                _take(found, name, asked.pop(name), text, line.host.name)
        found.vanished += asked


def _take(found: Look, name: str, run: str, text: str, host: str) -> None:
    try:
        reading, at_its_stop = reading_in(text, host)
    except ValueError as error:
        found.leave_out(name, run, visible(str(error), MOST))
        return
    if reading.run != run:
        found.leave_out(name, run, f"it is of the run {reading.run}")
    else:
        found.readings.append(reading)
        found.stopped |= {reading.run} if at_its_stop else set()
