"""Measure `ops collect` with simulated hosts behind one real sshd: `python -m bench.collecting`.

One process makes warm rounds as `ops collect --every` does: it reads every host and books the
changes. `bench.ledger` measures the booking of large fleets.
"""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bench import enclosure, page
from bench.fleet import SimulatedFleet
from bench.servers import servers
from lab.cgroup import Cgroup
from lab.command import program
from lab.waiting import wait_until
from ops.model.layout import SOCKET

WARM_UP = 3
ROUNDS = 10
GOAL_WALL, GOAL_CPU = 1.0, 1.5
HOW = """\
How: `python -m bench.collecting`, {how}. One sshd answers for every host, in a network namespace
without a way out. **It, the StatsService and PostgreSQL run on the same cores**, so walls are
upper bounds. Client CPU is the reliable figure. It includes ssh, gRPC and booking. Medians of
{rounds} warm rounds.
"""


@dataclass
class Series:
    """The rounds of one setting."""

    label: str
    hosts: int
    cold: float = 0.0
    """Seconds of the first round, which logs in to every host and looks at its disk."""
    cold_cpu: float = 0.0
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    booked: int = 0
    failed: int = 0

    def row(self) -> str:
        """Return the row for the table."""
        wall, cpu = statistics.median(self.walls), statistics.median(self.cpus)
        each = cpu / self.hosts * 1000
        cold_each = self.cold_cpu / self.hosts * 1000
        return (
            f"| {self.label} | {wall:.2f} | {each:.2f} | {self.cold:.1f} | {cold_each:.1f} "
            f"| {self.booked} | {self.failed} |"
        )


def main() -> None:
    """Run the measurement with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.collecting", description=__doc__)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1000, help="rounds of the memory test")
    options = parser.parse_args()
    enclosure.enter("bench.collecting")
    if not enclosure.leads_nowhere():
        sys.exit(f"{enclosure.INSIDE} is set, but this is no enclosure: unset it")
    how = page.conditions()
    with ExitStack() as opened:
        root = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="xray-ops-bench-")))
        other_side = opened.enter_context(servers(root))
        fleet = other_side.fleet(root, options.hosts, options.users)
        report = _report(list(_series(fleet, opened, options.users)), options)
        small = other_side.fleet(root, 20, 50)
        report += f"\n{_memory(small, options.rounds)}\n"
    page.write("COLLECTING.md", [report, HOW.format(how=how, rounds=ROUNDS)])


def _series(fleet: SimulatedFleet, opened: ExitStack, users: int) -> Iterator[Series]:
    from tests.postgres import AbsentError, database, running

    yield _polled(fleet, users)
    yield _measured(fleet, "SQLite, every 10th key moved", users, every=10)
    yield _measured(fleet, "SQLite, every key moved", users, every=1)
    try:
        server = opened.enter_context(running())
    except AbsentError:
        return
    os.environ["OPS_LEDGER"] = opened.enter_context(database(server, "bench"))
    yield _measured(fleet, "PostgreSQL, every 10th key moved", users, every=10)
    yield _measured(fleet, "PostgreSQL, every key moved", users, every=1)
    del os.environ["OPS_LEDGER"]


def _polled(fleet: SimulatedFleet, users: int) -> Series:
    """Measure only the reading, as in `ops traffic --watch`."""
    from ops.counting import reading
    from ops.fleet import inventory

    _answer_with(users, 10)
    series = Series("none: the poll alone", fleet.hosts)
    read = inventory.load(fleet.folder)
    with closing(reading.watch(read, read.hosts, every=0.0, deadline=120)) as rounds:
        for number in range(WARM_UP + ROUNDS):
            cpu, began = time.process_time(), time.monotonic()
            outcome = next(rounds)
            used, wall = time.process_time() - cpu, time.monotonic() - began
            if number == 0:
                series.cold, series.cold_cpu = wall, used
            if number >= WARM_UP:
                series.walls.append(wall)
                series.cpus.append(used)
                series.failed += len(outcome.failures)
    return series


def _measured(fleet: SimulatedFleet, label: str, users: int, every: int) -> Series:
    from ops.counting.collecting import Roster, collect
    from ops.ledger.thread import ledger_thread

    _answer_with(users, every)
    series = Series(label, fleet.hosts)
    roster = Roster(fleet.folder)
    ledger = ledger_thread(roster.targets().fleet)
    # One round a second, because the counters change once a second.
    with closing(collect(roster, ledger, every=1.0, deadline=120)) as rounds:
        for number in range(WARM_UP + ROUNDS):
            cpu = time.process_time()
            outcome = next(rounds)
            if number == 0:
                series.cold, series.cold_cpu = outcome.seconds, time.process_time() - cpu
            if number >= WARM_UP:
                series.walls.append(outcome.seconds)
                series.cpus.append(time.process_time() - cpu)
                series.booked += outcome.booked.total > 0
                series.failed += len(outcome.failures)
            _tell(f"{label}: round {number}, {outcome.seconds:.2f} s {outcome.ledger_error}")
    return series


def _memory(fleet: SimulatedFleet, rounds: int) -> str:
    from ops.counting.collecting import Roster, collect
    from ops.ledger.thread import ledger_thread

    _answer_with(50, 1)
    sizes = []
    roster = Roster(fleet.folder)
    ledger = ledger_thread(roster.targets().fleet)
    with closing(collect(roster, ledger, every=0.001, deadline=60)) as each:
        for number, _ in enumerate(islice(each, rounds), 1):
            if number in (rounds // 10, rounds):
                sizes.append(_resident())
    first, last = sizes
    return (
        f"Memory over {rounds} rounds of {fleet.hosts} hosts: {first:.1f} MB after a tenth of them,"
        f" {last:.1f} MB after all (peak {_peak():.0f} MB, earlier measurements included)."
    )


def _answer_with(users: int, every: int) -> None:
    """Let the API of every host count this many *users*. One in *every* users changes a second."""
    group = Cgroup(f"bench-{os.getpid()}/growing")
    group.kill()
    Path(SOCKET).unlink(missing_ok=True)
    words = program("bench.growing_service", str(users), str(every), SOCKET)
    group.spawn(*words, log=Path("/run/growing.log"))
    wait_until(lambda: Path(SOCKET).exists(), "the StatsService listens")


def _report(series: list[Series], options: argparse.Namespace) -> str:
    lines = "\n".join(one.row() for one in series)
    poll, booked = series[:2]
    wall = statistics.median(booked.walls)
    each = statistics.median(poll.cpus) / poll.hosts * 1000
    met = "met" if wall <= GOAL_WALL and each <= GOAL_CPU else "**not met**"
    return f"""\
# Collecting: {options.hosts} hosts, {options.users} keys each

| ledger | warm round s | client CPU ms a host | first round s | CPU ms a host | booked | failed |
|---|--:|--:|--:|--:|--:|--:|
{lines}

Goal: a warm poll within {GOAL_WALL:g} s and {GOAL_CPU} ms of client CPU a host. Found: {wall:.2f} s
with its booking, {each:.2f} ms without: {met}. The other rows show the cost of booking.
"""


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
