"""Measure the cost of a program and all its descendants."""

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.servers import cpu_seconds
from lab.cgroup import Cgroup

_numbers = count()
GLANCE = 0.1
"""Seconds between two samples of the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The cost of one run of a program."""

    cpu: float
    """CPU seconds of the program and all its descendants, even if they outlive it."""
    wall: float
    """Seconds from start to end."""
    memory: float
    """The largest sampled memory in MB: the sum over all processes (Pss)."""
    status: int
    """The exit status."""


def measure(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Sample:
    """Run *words* in *folder*, with their output in the file ``output`` of *folder*."""
    group = Cgroup(f"bench-{os.getpid()}/run{next(_numbers)}")
    with (folder / "output").open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            group.entering(*words),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        memory = _watch_memory(process, group)
        wall = time.perf_counter() - began
    cpu = cpu_seconds(group)
    group.remove()  # ansible leaves its ssh connections running
    return Sample(cpu=cpu, wall=wall, memory=memory, status=process.returncode)


def _watch_memory(process: subprocess.Popen[bytes], group: Cgroup) -> float:
    """Wait for *process* to end, and return the largest sampled memory of *group* in MB."""
    most = 0
    ended = os.pidfd_open(process.pid)  # Popen.wait polls only 20 times a second
    try:
        while not select.select([ended], [], [], GLANCE)[0]:
            most = max(most, sum(map(_pss, group.members())))
    finally:
        os.close(ended)
    process.wait()
    return most / 1000


def _pss(pid: int) -> int:
    """Return the memory (Pss) of a process in kB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
