"""Probe a host beside its API: its last readings, network cards, clock and machine.

The probe is a few lines for a root shell. The host needs no program of ours for it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time

from ops.counting.collecting.clocks import seconds_ahead
from ops.counting.collecting.disk import (
    LARGEST_FILE,
    LIST_FILES,
    LastReadings,
    ReadingFile,
    batches,
    fetch_command,
    fetched_files,
    reading_files,
)
from ops.counting.collecting.machine import DESCRIBE_MACHINE, Machine, parse_machine
from ops.counting.reading.network_cards import LIST_CARDS, outer_cards
from ops.counting.tunnel import Deadline, Line
from ops.errors import HostError
from ops.model import NicCounters
from ops.model.untrusted import count_of
from ops.model.visible import MOST, visible

PROBE = f"""\
{LIST_CARDS}
echo "clock $(date +%s)"
{DESCRIBE_MACHINE}{LIST_FILES}echo end
"""
"""The command of a probe. Its last line proves that the output is complete."""
_LATEST = 2**40
"""Seconds since 1970; a host's clock is not believed beyond that."""


@dataclass(frozen=True, slots=True)
class ProbeOutput:
    """The parsed output of PROBE, without the machine."""

    files: tuple[ReadingFile, ...]
    """Oldest first."""
    nic: NicCounters | None
    clock: int | None
    """Seconds since 1970 by the host's clock; None if the host did not print them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """The result of one probe. Each part may be missing; the warnings then say why."""

    on_disk: LastReadings
    complete: bool = False
    """Whether all wanted files were fetched: the disk holds nothing else that is useful."""
    nic: NicCounters | None = None
    clock_ahead: float = 0.0
    """Seconds by which the host's clock is ahead of ours, negative if it is behind."""
    machine: Machine | None = None
    """None if the probe failed."""
    warnings: tuple[str, ...] = ()


async def probe_host(line: Line, known_runs: Collection[str], until: Deadline) -> ProbeResult:
    """Return the result of a probe over *line*; files of *known_runs* are not fetched.

    Nothing is raised: a failure is among the warnings of the result.
    """
    on_disk = LastReadings(line.host.name)
    asked = time()
    try:
        printed = await line.run(PROBE, until)
        output = parse_probe(printed, line.host.name, datetime.now(UTC))
    except (HostError, ValueError) as error:
        return ProbeResult(on_disk=on_disk, warnings=(_failure(error),))
    clock_ahead = seconds_ahead(output.clock, asked, time())
    try:
        await _fetch(line, on_disk, [f for f in output.files if f.run not in known_runs], until)
    except (HostError, ValueError) as error:
        # No readings at all: with a part of them the ledger would count the rest as new traffic.
        on_disk.readings.clear()
        warnings = (_failure(error), *on_disk.warnings())
        return ProbeResult(
            on_disk=on_disk, nic=output.nic, clock_ahead=clock_ahead, warnings=warnings
        )
    return ProbeResult(
        on_disk=on_disk,
        complete=not on_disk.vanished,
        nic=output.nic,
        clock_ahead=clock_ahead,
        machine=parse_machine(printed),
        warnings=tuple(on_disk.warnings()),
    )


def parse_probe(printed: str, host: str, read_at: datetime) -> ProbeOutput:
    """Return the parsed output of PROBE; ValueError if it is incomplete or malformed.

    >>> printed = "boot b\\ncard hardware 1 5 7\\ncard virtual 772 9 9\\nend\\n"
    >>> output = parse_probe(printed, "ams", datetime.now())
    >>> output.nic.received, output.nic.sent, output.files
    (5, 7, ())
    """
    lines = [line.split(" ") for line in printed.split("\n") if line]
    if not lines or lines[-1] != ["end"]:
        raise ValueError("its answer is cut off")
    files = reading_files(lines)
    clocks = [count_of(line[1], _LATEST) for line in lines if line[0] == "clock" and len(line) == 2]
    return ProbeOutput(files, outer_cards(lines, host, read_at), clocks[0] if clocks else None)


async def _fetch(
    line: Line, on_disk: LastReadings, files: list[ReadingFile], until: Deadline
) -> None:
    for file in files:
        if file.size > LARGEST_FILE:
            on_disk.reject(file, f"it has {file.size >> 20} MiB, which is no reading")
        elif not file.size:
            on_disk.reject(file, "it is empty")
    for batch in batches([file for file in files if 0 < file.size <= LARGEST_FILE]):
        missing = {file.name: file for file in batch}
        for name, content in fetched_files(await line.run(fetch_command(batch), until)):
            if name in missing:
                on_disk.add(missing.pop(name), content)
        on_disk.vanished += missing


def _failure(error: HostError | ValueError) -> str:
    reason = error.reason if isinstance(error, HostError) else visible(str(error), MOST)
    return f"the last readings on its disk could not be read: {reason}"
