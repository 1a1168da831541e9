"""Check the sums of the ledger: counters equal buckets, and each size of bucket the next."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, case, func, select

from ops.ledger.answers.calendar import HOUR, day_of, hour_of, next_day
from ops.ledger.database.schema import (
    baselines,
    counters,
    days,
    fives,
    hosts,
    hours,
    keys,
    ledger,
    months,
    nic_days,
    runs,
    settled,
    users,
)
from ops.model.key import key_of

Sums = dict[tuple[int, Any], tuple[int, int]]
"""Up and down by host and key."""


def faults(tx: Connection) -> Iterator[str]:
    """Yield a sentence for each sum or row that is wrong."""
    frame = tx.execute(select(ledger)).one()
    yield from _counted_and_booked(tx, frame.rolled)
    yield from _sizes(tx, frame)
    yield from _negative(tx)
    yield from _unexplained(tx)


def _counted_and_booked(tx: Connection, rolled: int) -> Iterator[str]:
    names = {row.id: row.name for row in tx.execute(select(users))}
    counted: Sums = {}
    for table, sign in ((counters, 1), (baselines, -1), (settled, 1)):
        host = table.c.host_id if table is settled else runs.c.host_id
        query = select(host, table.c.user_id, func.sum(table.c.up), func.sum(table.c.down))
        query = query if table is settled else query.join(runs, runs.c.id == table.c.run_id)
        for host_id, user, up, down in tx.execute(query.group_by(host, table.c.user_id)):
            _add(counted, (host_id, key_of(names[user])), sign * int(up), sign * int(down))
    lives = {row.id: row.name for row in tx.execute(select(keys))}
    booked: Sums = {}
    for table, since in ((months, 0), (fives, rolled)):
        for (host_id, key), (up, down) in _sums(tx, table, since).items():
            _add(booked, (host_id, lives[key]), up, down)
    yield from _differences(tx, "its runs counted", counted, "is booked", booked)


def _sizes(tx: Connection, frame: Any) -> Iterator[str]:
    """Compare each size of bucket with the next larger, for the time that both hold."""
    zone = ZoneInfo(frame.zone)
    lives = {row.id: row.name for row in tx.execute(select(keys))}
    hours_from = frame.hours_from
    first_day = hours_from if hours_from == day_of(hours_from, zone) else next_day(hours_from, zone)
    if first_day % HOUR:
        first_day = (
            frame.rolled
        )  # midnights of this zone are within hours, so days cannot be compared
    first_hour = hour_of(max(frame.fives_from, 1) - 1) + HOUR
    for finer, larger, since in (
        (days, months, 0),
        (hours, days, first_day),
        (fives, hours, first_hour),
    ):
        found = _named(_sums(tx, finer, since, frame.rolled), lives)
        wanted = _named(_sums(tx, larger, since, frame.rolled), lives)
        yield from _differences(tx, f"{finer.name} hold", found, f"in {larger.name}", wanted)


def _sums(tx: Connection, table: Table, since: int, until: int | None = None) -> Sums:
    query = select(
        table.c.host_id, table.c.key_id, func.sum(table.c.up), func.sum(table.c.down)
    ).where(table.c.t >= since)
    if until is not None:
        query = query.where(table.c.t < until)
    grouped = tx.execute(query.group_by(table.c.host_id, table.c.key_id))
    return {(host, key): (int(up), int(down)) for host, key, up, down in grouped}


def _named(sums: Sums, lives: dict[int, str]) -> Sums:
    named: Sums = {}
    for (host, key), (up, down) in sums.items():
        _add(named, (host, lives[key]), up, down)
    return named


def _add(sums: Sums, place: tuple[int, Any], up: int, down: int) -> None:
    old = sums.get(place, (0, 0))
    sums[place] = old[0] + up, old[1] + down


def _differences(tx: Connection, a: str, first: Sums, b: str, second: Sums) -> Iterator[str]:
    names = {row.id: row.name for row in tx.execute(select(hosts.c.id, hosts.c.name))}
    for host, key in sorted(first.keys() | second.keys()):
        one, two = first.get((host, key), (0, 0)), second.get((host, key), (0, 0))
        if one != two:
            yield (
                f"{key} on {names[host]}: {a} {one[0]} up and {one[1]} down, "
                f"{two[0]} and {two[1]} {b}"
            )


def _negative(tx: Connection) -> Iterator[str]:
    for table in (counters, baselines, settled, fives, hours, days, months, nic_days):
        amounts = [column for column in table.columns if not column.primary_key]
        below = func.sum(case((amounts[0] < 0, 1), (amounts[1] < 0, 1), else_=0))
        if count := tx.execute(select(below)).scalar():
            yield f"{table.name}: {count} rows are below zero"


def _unexplained(tx: Connection) -> Iterator[str]:
    """Yield runs that are neither the newest of their host nor ended."""
    last = hosts.c.read.label("seen_alive")  # a newer run may have been read since
    query = select(runs, hosts.c.name, hosts.c.run_id, last)
    for run in tx.execute(query.join(hosts, hosts.c.id == runs.c.host_id)):
        other = run.run_id is not None and run.id != run.run_id
        if run.ended is None and other and run.first < run.seen_alive:
            yield f"run {run.identity} of {run.name} is neither alive nor ended"
        if run.ended is not None and run.ended < run.read:
            yield f"run {run.identity} of {run.name} was read after it ended"
