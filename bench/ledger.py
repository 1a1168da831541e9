"""Measure the size and speed of the ledger: `python -m bench.ledger`, SQLite and PostgreSQL.

It measures booking and queries. No server is read.
"""

import argparse
import gc
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import page
from ops.ledger import Ledger, open_ledger
from ops.model import Observation, Reading, Traffic
from tests.postgres import AbsentError, database, running

ROUND = 30.0
"""Seconds between two rounds."""
BEGAN = datetime(2025, 11, 1, tzinfo=UTC)
HOW = """
How: `python -m bench.ledger`, {how}. Generated readings are booked as `ops collect` books them; no
server is read. PostgreSQL is Debian's, with default settings, on the same machine.
"""


@dataclass
class Clock:
    """The clock of the collector, set by the measurement."""

    now: datetime = BEGAN

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@dataclass
class Simulated:
    """Simulated hosts with keys, all in their first run."""

    hosts: int
    keys: int
    rounds: int = 0

    def __post_init__(self) -> None:
        self.names = [f"key{number:04}" for number in range(self.keys)]
        self.values = [[0] * self.keys for _ in range(self.hosts)]

    def use(self, every: int) -> None:
        """Change the counters of one in *every* keys, on every host."""
        self.rounds += 1
        for host, values in enumerate(self.values):
            for key in range((host + self.rounds) % every, self.keys, every):
                values[key] += 1_000_003

    def visit(self, at: datetime) -> list[Observation]:
        """Return the observations of a round at the time *at*."""
        return [
            Observation(host=f"host{number:04}", now=self._read(number, at))
            for number in range(self.hosts)
        ]

    def _read(self, number: int, at: datetime) -> Reading:
        users = {
            name: Traffic(value // 10, value)
            for name, value in zip(self.names, self.values[number], strict=True)
        }
        host = f"host{number:04}"
        return Reading(host=host, run=f"run-{host}", read_at=at, counting_since=at, users=users)


def main() -> None:
    """Measure with the options of the command line, and write `LEDGER.md`."""
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365, help="days of the simulated past")
    parser.add_argument("--rounds", type=int, default=1000, help="rounds of the memory test")
    page.write("LEDGER.md", _report(parser.parse_args()))


def _report(options: argparse.Namespace) -> Iterator[str]:
    how = page.conditions()
    yield "# The ledger"
    for name in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            try:
                where = stack.enter_context(_somewhere(name))
            except AbsentError as error:
                yield f"\n{name}: {error}"
                continue
            clock = Clock()
            if name == "SQLite":
                memory = stack.enter_context(_fresh(where, "memory", 50, clock))
                yield from _memory(memory, clock, options)
            rounds = stack.enter_context(_fresh(where, "rounds", options.hosts, clock))
            yield from _rounds(name, rounds, clock, options)
            year = stack.enter_context(_fresh(where, "year", 300, clock))
            yield from _year(name, year, clock, options)
    yield HOW.format(how=how)


def _rounds(name: str, ledger: Ledger, clock: Clock, options: argparse.Namespace) -> Iterator[str]:
    fleet = Simulated(options.hosts, options.keys)
    count = options.hosts * options.keys
    yield f"\n## {name}: a round of {options.hosts:,} hosts x {options.keys:,} keys\n"
    yield "| | s | rows/s | share of 30 s |"
    yield "|---|--:|--:|--:|"
    # The first round of a bucket inserts its rows; later rounds update them.
    for label, every in (
        ("first sight", 1),
        ("all changed", 1),
        ("5 % changed", 20),
        ("none changed", 0),
    ):
        clock.now += timedelta(seconds=ROUND)
        if every:
            fleet.use(every)
        visits = fleet.visit(clock.now)
        seconds = _timed(lambda visits=visits: ledger.book_all(visits))  # type: ignore[misc]
        share = seconds / ROUND
        yield f"| {label} | {seconds:.2f} | {count / seconds:,.0f} | {share:.1%} |"
    clock.now += timedelta(hours=1)
    yield f"| an hour rolled up, once an hour | {_timed(ledger.roll):.2f} | | |"


def _year(name: str, ledger: Ledger, clock: Clock, options: argparse.Namespace) -> Iterator[str]:
    """Measure a fleet in which each key has usage every day. One day of hours is extrapolated."""
    hosts, keys, days = 300, 200, options.days
    fleet = Simulated(hosts, keys)
    fleet.use(1)
    ledger.book_all(fleet.visit(clock.now))
    first = int(BEGAN.timestamp())
    before = _size(ledger)
    _fill(ledger, "days", first, 86400, days)
    day = (_size(ledger) - before) / days
    _fill_months(ledger, first, days)
    before = _size(ledger)
    _fill(ledger, "hours", first, 3600, 24)
    hour = _size(ledger) - before
    clock.now = BEGAN + timedelta(days=days, hours=12)
    ledger.roll()
    yield f"\n## {name}: {days} days of {hosts} hosts x {keys} keys, each used every day\n"
    yield "| | |"
    yield "|---|--:|"
    yield f"| a year of days | {day * 365 / 1e9:.2f} GB |"
    yield f"| 90 days of hours | {hour * 90 / 1e9:.2f} GB |"
    after = clock.now.replace(day=1, hour=0)
    month = (after - timedelta(days=1)).replace(day=1)
    for label, by in (
        ("by key", ("key",)),
        ("by key and host", ("key", "host")),
        ("by day", ("day",)),
    ):
        seconds = _timed(lambda by=by: ledger.usage(month, after, by=by))  # type: ignore[misc]
        yield f"| `ops usage --month`, {label} (goal 1 s) | {seconds:.2f} s |"
    since = BEGAN + timedelta(days=3)
    seconds = _timed(lambda: ledger.usage(since, clock.now - timedelta(days=3)))
    yield f"| most of the year, by key | {seconds:.2f} s |"


def _fill(ledger: Ledger, table: str, first: int, step: int, count: int) -> None:
    series = f"SELECT {first} AS t"
    if count > 1:
        last = first + step * (count - 1)
        series = (
            f"WITH RECURSIVE s(t) AS (SELECT {first} UNION ALL SELECT t + {step} FROM s "  # noqa: S608
            f"WHERE t < {last}) SELECT t FROM s"
        )
    into = f"INSERT INTO {table} SELECT s.t, k.id, h.id, 123456789, 9876543210 "
    with ledger.store.engine.begin() as tx:
        tx.exec_driver_sql(f"{into} FROM ({series}) s, keys k, hosts h ORDER BY s.t, k.id, h.id")


def _fill_months(ledger: Ledger, first: int, days: int) -> None:
    begin = datetime.fromtimestamp(first, UTC)
    while begin < BEGAN + timedelta(days=days):
        _fill(ledger, "months", int(begin.timestamp()), 0, 1)
        begin = (begin + timedelta(days=32)).replace(day=1)


def _memory(ledger: Ledger, clock: Clock, options: argparse.Namespace) -> Iterator[str]:
    rounds = options.rounds
    fleet = Simulated(50, 200)
    yield f"\n## Memory over {rounds:,} rounds of 50 hosts x 200 keys, all changed\n"
    yield "| rounds | MB |"
    yield "|--:|--:|"
    for number in range(1, rounds + 1):
        clock.now += timedelta(seconds=ROUND)
        fleet.use(1)
        ledger.book_all(fleet.visit(clock.now))
        if number in (rounds // 10, rounds // 2, rounds):
            gc.collect()
            yield f"| {number:,} | {_resident():.1f} |"


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _size(ledger: Ledger) -> int:
    """Return the size of the database in bytes."""
    engine = ledger.store.engine
    with engine.connect() as tx:
        if ledger.store.is_sqlite:
            tx.exec_driver_sql("COMMIT")
            tx.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return os.path.getsize(engine.url.database or "")  # noqa: PTH202
        size = tx.exec_driver_sql("SELECT pg_database_size(current_database())")
        return int(size.scalar() or 0)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _somewhere(name: str) -> Iterator[str]:
    if name == "PostgreSQL":
        with running() as server:
            yield server
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield folder


@contextmanager
def _fresh(where: str, name: str, hosts: int, clock: Clock) -> Iterator[Ledger]:
    clock.now = BEGAN
    with ExitStack() as stack:
        place: str | Path = Path(where) / name / "ledger.db"
        if where.startswith("postgresql"):
            place = stack.enter_context(database(where, name))
        ledger = stack.enter_context(open_ledger(place, clock=clock))
        ledger.enrol([f"host{number:04}" for number in range(hosts)], [])
        clock.now += timedelta(seconds=1)
        yield ledger


if __name__ == "__main__":
    main()
