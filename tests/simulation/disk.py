"""The readings that a host keeps on its disk, as `ops/servers/on_host/readings.py` writes them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ops.servers.on_host.readings import KEPT
from tests.simulation.clock import when

Counters = Mapping[str, tuple[int, int]]
"""Up and down by the core's user."""
EVER = 1 << 62


@dataclass(slots=True, kw_only=True)
class File:
    """One reading on the disk: the counters of a run at a moment of the host's clock."""

    run: str
    kind: str
    read_at: int
    since: int
    counters: Counters
    holds: int
    """How many moves of its run are in it."""
    moment: int = 0
    """The true moment of it."""
    damaged: str = ""
    """What stands in the file in place of a reading."""

    @property
    def name(self) -> str:
        return f"{self.run}.{self.kind}.json"

    @property
    def text(self) -> str:
        """Return the content of the file."""
        if self.damaged:
            return self.damaged
        held = {
            "run": self.run,
            "kind": self.kind,
            "read_at": _written(self.read_at),
            "counting_since": _written(self.since),
            "statsquery": {"stat": list(_stats(self.run, self.counters))},
        }
        return json.dumps(held)


@dataclass
class Disk:
    """The folder of the readings."""

    files: dict[str, File] = field(default_factory=dict)

    def write(self, file: File) -> None:
        self.files[file.name] = file

    def remove(self, run: str, kind: str) -> None:
        self.files.pop(f"{run}.{kind}.json", None)

    def prune(self, now: int, running: str) -> dict[str, int]:
        """Remove readings older than 90 days of runs that are over; return when they were it."""
        old = [f for f in self.files.values() if now - f.read_at > KEPT * 1000 and f.run != running]
        for file in old:
            del self.files[file.name]
        return {file.run: file.moment + KEPT * 1000 for file in old}

    def of(self, run: str) -> list[File]:
        """Return the files of one run."""
        return [file for file in self.files.values() if file.run == run]

    def listed(self) -> Iterator[str]:
        """Yield the line of each file that a probe prints."""
        for file in self.files.values():
            yield f"file {len(file.text)} {file.read_at / 1000:.3f} {file.name}"


def _stats(run: str, counters: Counters) -> Iterator[dict[str, object]]:
    yield {"name": "inbound>>>ss>>>traffic>>>uplink"}
    yield {"name": f"outbound>>>run-{run}>>>traffic>>>uplink"}
    for user, (up, down) in counters.items():
        yield {"name": f"user>>>{user}>>>traffic>>>uplink", "value": up}
        yield {"name": f"user>>>{user}>>>traffic>>>downlink", "value": down}


def _written(moment: int) -> str:
    return when(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")
