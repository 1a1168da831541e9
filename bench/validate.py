"""Measure ``ops validate`` with large fleets: ``python -m bench.validate``.

The rules are measured with and without tests by the core. No other tool does this.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bench import page
from bench.fleet import REALITY
from bench.measure import Sample, measure
from bench.tools import BIN
from lab.core import ensure_core

HOSTS = """
[core]
version = "26.10.10"
[defaults]
inbounds = ["reality"]
"""
HOW = """
How: `python -m bench.validate`, {how}. Every key opens every host. Times are of the whole command.
Memory is the largest sum over all its processes.
"""
_LETTERS = str.maketrans("01", "gh")
"""Replaces 0 and 1 in names, because `ops` refuses names that look alike."""


@dataclass(frozen=True, slots=True)
class Case:
    """The size of a fleet, and the way to validate it."""

    hosts: int
    keys: int
    core: bool
    goal: str


CASES = (
    Case(1, 10_000, False, "3 s"),
    Case(1, 10_000, True, ""),
    Case(1000, 1000, False, "30 s, 1 GB, two cores"),
    Case(1000, 1000, True, "100 ms a host more, in parallel"),
)


def fleet(folder: Path, hosts: int, keys: int) -> Path:
    """Write a fleet in which every key opens every host."""
    inventory = folder / "inventory"
    inventory.mkdir(parents=True)
    tables = (
        f'[hosts.h{n:04}]\naddress = ["h{n:04}.example.net"]\n'
        f'ssh_hostname = "10.{n // 256}.{n % 256}.9"\n'
        for n in range(hosts)
    )
    (inventory / "hosts.toml").write_text(HOSTS + REALITY + "".join(tables))
    names = (sha256(str(n).encode()).hexdigest()[:12].translate(_LETTERS) for n in range(keys))
    (inventory / "keys.toml").write_text("".join(f"[keys.k{name}]\n" for name in names))
    return folder


def run() -> Iterator[str]:
    """Yield the lines of the page, each after its measurement."""
    core = str(ensure_core().program)
    how = page.conditions()
    yield "# Validating a fleet\n"
    yield "| hosts | keys each | core | wall s | ms a host | CPU s | memory MB | goal |"
    yield "|--:|--:|---|--:|--:|--:|--:|---|"
    with tempfile.TemporaryDirectory(prefix="xray-ops-bench-") as folder:
        for case in CASES:
            root = Path(folder) / f"{case.hosts}-{case.keys}-{case.core}"
            yield _row(
                case, _validated(fleet(root, case.hosts, case.keys), core if case.core else "")
            )
    yield HOW.format(how=how)


def _validated(folder: Path, core: str) -> Sample:
    words = [str(BIN / "ops"), "validate", "--fleet", str(folder)]
    sample = measure([*words, *(["--core", core] if core else ["--no-core"])], folder, os.environ)
    if sample.status:
        sys.exit((folder / "output").read_text())
    return sample


def _row(case: Case, sample: Sample) -> str:
    cells = (
        f"{case.hosts:,}",
        f"{case.keys:,}",
        "tests each" if case.core else "",
        f"{sample.wall:.1f}",
        f"{sample.wall / case.hosts * 1000:.0f}",
        f"{sample.cpu:.1f}",
        f"{sample.memory:.0f}",
        case.goal,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    page.write("VALIDATE.md", run())
