"""Run a program and say what it cost, with everything it started."""

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
"""Seconds between two looks at the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of one program."""

    cpu: float
    """Seconds, of the program and all its descendants, those that outlive it too."""
    wall: float
    memory: float
    """MB at the worst moment seen: the shares of all its processes (Pss) together."""
    status: int


def measure(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Sample:
    """Run *words* in *folder* to the end; what they print goes to ``output`` there."""
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
    group.remove()  # ansible leaves its connections behind for later
    return Sample(cpu=cpu, wall=wall, memory=memory, status=process.returncode)


def _watch_memory(process: subprocess.Popen[bytes], group: Cgroup) -> float:
    """Wait for *process* to end; return the most memory its group was seen to have, in MB."""
    most = 0
    ended = os.pidfd_open(process.pid)  # Popen.wait would look only 20 times a second
    try:
        while not select.select([ended], [], [], GLANCE)[0]:
            most = max(most, sum(map(_pss, group.members())))
    finally:
        os.close(ended)
    process.wait()
    return most / 1000


def _pss(pid: int) -> int:
    """Return the process's own share of memory in kB; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
