"""Groups of processes, so that a lab's are found and ended whoever started them.

There are no pid files: a host is on while its group has processes, and a group is ended as a
whole by the kernel, even when what started it is long dead.
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.errors import LabError
from lab.waiting import wait_until

_ENTER = 'echo $$ >"$0/cgroup.procs" && exec "$@"'


@cache
def mount_point() -> Path:
    """Return where this machine has cgroup2; with v1 beside it, it is not the usual place."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise LabError("the lab needs cgroup2: mount -t cgroup2 cgroup2 /sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One group: ``xray-ops-lab/<lab>/<member>``, or a whole lab."""

    name: str

    @property
    def path(self) -> Path:
        """Return its folder."""
        return mount_point() / "xray-ops-lab" / self.name

    @property
    def inner(self) -> str:
        """Return its path from the root of any cgroup2 mount."""
        return f"xray-ops-lab/{self.name}"

    @property
    def populated(self) -> bool:
        """Return whether a process lives in it or below."""
        try:
            return "populated 1" in (self.path / "cgroup.events").read_text()
        except OSError:
            return False

    def entering(self, *argv: str | Path) -> list[str]:
        """Return the words that run *argv* inside this group."""
        self.path.mkdir(parents=True, exist_ok=True)
        return ["sh", "-c", _ENTER, str(self.path), *map(str, argv)]

    def spawn(self, *argv: str | Path, log: Path) -> None:
        """Start *argv* in it, detached from us; its words go to *log*.

        ``setsid --fork`` leaves no child of ours: whoever brings a lab up may go away.
        """
        with log.open("ab") as output:
            subprocess.run(
                self.entering("setsid", "--fork", *argv),
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def members(self, below: str = ".") -> list[int]:
        """Return the process ids in *below* and under it."""
        found = (self.path / below).rglob("cgroup.procs")
        return [int(pid) for file in found for pid in file.read_text().split()]

    def freeze(self, frozen: bool, below: str = ".") -> None:
        """Stop every process in it where it stands, or let them go on."""
        (self.path / below / "cgroup.freeze").write_text("1" if frozen else "0")

    def schedule(self, policy: int, priority: int, below: str = ".") -> None:
        """Give every thread in it, and what those start, a policy such as ``os.SCHED_RR``."""
        for pid in self.members(below):
            for task in Path(f"/proc/{pid}/task").glob("*"):
                with suppress(ProcessLookupError):
                    os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))

    def kill(self) -> None:
        """End every process in it at once, and return when none is left."""
        try:
            (self.path / "cgroup.kill").write_text("1")
        except FileNotFoundError:
            return
        wait_until(lambda: not self.populated, f"{self.name} ends its processes")

    def remove(self) -> None:
        """Kill what is in it and remove it."""
        self.kill()
        wait_until(self._removed, f"{self.name} lets go of its control group")

    def _removed(self) -> bool:
        # Dead processes leave a moment after "populated 0"; until then rmdir says busy.
        try:
            for folder, _, _ in os.walk(self.path, topdown=False):
                Path(folder).rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True
