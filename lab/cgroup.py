"""Control groups, which find and end all processes of a lab.

There are no pid files. A host is on while its group has processes. The kernel ends a whole
group, even if the starter of its processes is dead.
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
    """Return the mount point of cgroup2. On a machine with cgroup v1 it is not the usual one."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise LabError("the lab needs cgroup2: mount -t cgroup2 cgroup2 /sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The group of one member, ``<lab>/<member>``, or of a whole lab."""

    name: str

    @property
    def path(self) -> Path:
        """Return the folder of the group."""
        return mount_point() / "xray-ops-lab" / self.name

    @property
    def inner(self) -> str:
        """Return the path of the group below the mount point."""
        return f"xray-ops-lab/{self.name}"

    @property
    def populated(self) -> bool:
        """Return whether the group, or a group below it, has a process."""
        try:
            return "populated 1" in (self.path / "cgroup.events").read_text()
        except OSError:
            return False

    def entering(self, *argv: str | Path) -> list[str]:
        """Return the command that runs *argv* inside this group."""
        self.path.mkdir(parents=True, exist_ok=True)
        return ["sh", "-c", _ENTER, str(self.path), *map(str, argv)]

    def spawn(self, *argv: str | Path, log: Path) -> None:
        """Start *argv* in the group, with its output in *log*.

        ``setsid --fork`` detaches it, so that it outlives this process.
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
        """Return the process ids of the group *below*, and of all groups under it."""
        files = (self.path / below).rglob("cgroup.procs")
        return [int(pid) for file in files for pid in file.read_text().split()]

    def freeze(self, frozen: bool, below: str = ".") -> None:
        """Freeze every process of the group, or continue all of them."""
        (self.path / below / "cgroup.freeze").write_text("1" if frozen else "0")

    def schedule(self, policy: int, priority: int, below: str = ".") -> None:
        """Give every thread a policy such as ``os.SCHED_RR``. New threads inherit it."""
        for pid in self.members(below):
            for task in Path(f"/proc/{pid}/task").glob("*"):
                with suppress(ProcessLookupError):
                    os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))

    def kill(self) -> None:
        """Kill every process of the group, and wait for their end."""
        try:
            (self.path / "cgroup.kill").write_text("1")
        except FileNotFoundError:
            return
        wait_until(lambda: not self.populated, f"{self.name} ends its processes")

    def remove(self) -> None:
        """Kill every process of the group, and remove the group."""
        self.kill()
        wait_until(self._removed, f"{self.name} removes its control group")

    def _removed(self) -> bool:
        # Dead processes leave shortly after "populated 0". Until then rmdir fails with EBUSY.
        try:
            for folder, _, _ in os.walk(self.path, topdown=False):
                Path(folder).rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True
