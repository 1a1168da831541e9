"""Measure reading every host: ``ops traffic`` beside tools that run a command on hosts."""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import page
from bench.contestants import (
    Contestant,
    ansible,
    environment,
    ours,
    parallel_ssh,
    pyinfra,
    tuned_ansible,
)
from bench.fleet import SILENT_PORT
from bench.measure import Sample, measure
from bench.servers import Servers, servers

RUNS = {1: 5, 10: 5, 100: 5, 300: 3, 1000: 3}
"""The number of runs, by the number of hosts."""
HUNG_TIMEOUT = 3.0
MANY_USERS = 10_000


@dataclass(frozen=True, slots=True)
class Setting:
    """The setting of a measurement."""

    hosts: int
    users: int
    contestant: str


@dataclass
class Results:
    """All samples, and the settings that failed."""

    samples: dict[Setting, list[Sample]] = field(default_factory=dict)
    other_side: dict[Setting, float] = field(default_factory=dict)
    """CPU seconds of sshd and StatsService in the last run of each setting."""
    hung: Sample | None = None
    hung_hosts: int = 0
    failed: list[Setting] = field(default_factory=list)
    how: str = ""
    """The conditions of the measurement."""


def run(state: Path, sizes: Sequence[int], *, peers: bool) -> Results:
    """Measure everything, with ansible installed in *state*."""
    others = [parallel_ssh(), pyinfra(), tuned_ansible(state), ansible(state)] if peers else []
    results = Results(how=page.conditions())
    with tempfile.TemporaryDirectory(prefix="xray-ops-bench-") as folder:
        root = Path(folder)
        with servers(root) as other_side:
            other_side.answer_with(200)
            for hosts in sizes:
                _compare(results, other_side, root, hosts, 200, [ours(), *others])
            _hung(results, other_side, root, max(size for size in sizes if size <= 300))
            other_side.answer_with(MANY_USERS)
            for hosts in (size for size in sizes if size <= 100):
                _compare(results, other_side, root, hosts, MANY_USERS, [ours(), *others[:1]])
    return results


def _compare(
    results: Results,
    other_side: Servers,
    root: Path,
    hosts: int,
    users: int,
    contestants: Sequence[Contestant],
) -> None:
    """Run the *contestants* in turn, so that a slow phase of the machine affects all of them."""
    fleet = other_side.fleet(root, hosts, users)
    for turn in range(RUNS.get(hosts, 3)):
        for contestant in contestants:
            if hosts > contestant.most_hosts or turn >= contestant.most_runs(hosts):
                continue
            setting = Setting(hosts, users, contestant.name)
            before = other_side.cpu_seconds
            sample = measure(contestant.words(fleet), fleet.folder, environment(fleet))
            results.other_side[setting] = other_side.cpu_seconds - before
            results.samples.setdefault(setting, []).append(sample)
            _tell(setting, sample)
            if sample.status:
                results.failed.append(setting)
                print((fleet.folder / "output").read_text()[-2000:], file=sys.stderr)


def _hung(results: Results, other_side: Servers, root: Path, hosts: int) -> None:
    """Measure hosts that accept a connection and never answer. All must end together."""
    fleet = other_side.fleet(root, hosts, 0, port=SILENT_PORT)
    words = ours(HUNG_TIMEOUT).words(fleet)
    results.hung = measure(words, fleet.folder, environment(fleet))
    results.hung_hosts = hosts
    _tell(Setting(hosts, 0, "ops traffic, all hung"), results.hung)


def _tell(setting: Setting, sample: Sample) -> None:
    print(
        f"{setting.hosts:5} hosts, {setting.users:6} users  {setting.contestant:36}"
        f"  {sample.cpu:8.2f} s CPU  {sample.wall:8.2f} s  {sample.memory:6.0f} MB"
        + (f"  exit {sample.status}" if sample.status else ""),
        file=sys.stderr,
        flush=True,
    )
