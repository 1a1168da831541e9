"""Bytes that may not belong to the fleet: they wait for an operator's decision."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select, update

from ops.ledger.answers.marks import before_marks
from ops.ledger.booking import runs as runs_of
from ops.ledger.booking.access import include
from ops.ledger.booking.entries import Entries
from ops.ledger.database.ids import Lives, locked_hosts
from ops.ledger.database.rows import Adopt, HostRow, RunRow
from ops.ledger.database.schema import baselines, gaps, hosts, ledger, marks, runs, users, waiting
from ops.model import Traffic
from ops.model.key import key_of


@dataclass(frozen=True, slots=True)
class Decided:
    """The effect of a decision about waiting counters."""

    applied: dict[str, Traffic]
    """By host, the bytes that were decided on."""
    stored: tuple[str, ...]
    """Hosts that were never read; the decision is applied at their first reading."""
    idle: tuple[str, ...]
    """Hosts without waiting bytes."""


_BYTES = (
    select(hosts.c.name, func.coalesce(func.sum(waiting.c.up + waiting.c.down), 0))
    .select_from(runs)
    .join(hosts, hosts.c.id == runs.c.host_id)
    .outerjoin(waiting, waiting.c.run_id == runs.c.id)
    .where(runs.c.doubt == "asked", runs.c.waits.is_not(None))
    .group_by(hosts.c.name)
)
_KEYS = (
    select(users.c.name, hosts.c.name)
    .select_from(waiting)
    .join(users, users.c.id == waiting.c.user_id)
    .join(runs, runs.c.id == waiting.c.run_id)
    .join(hosts, hosts.c.id == runs.c.host_id)
    .distinct()
)


def question(host: str) -> str:
    """Return the sentence that asks for a decision about *host*."""
    return (
        "its counters are older than the ledger's knowledge of it: run "
        f"`ops collect --host {host} --adopt count` to bill them, or "
        f"`ops collect --host {host} --adopt baseline` to leave them out"
    )


def waiting_bytes(tx: Connection) -> dict[str, int]:
    """Return by host the bytes that wait for a decision. Other hosts are left out."""
    return {name: int(amount) for name, amount in tx.execute(_BYTES)}


def waiting_keys(tx: Connection) -> dict[str, set[str]]:
    """Return by key the hosts with bytes of it that wait for a decision."""
    found: dict[str, set[str]] = {}
    for user, host in tx.execute(_KEYS):
        found.setdefault(key_of(user), set()).add(host)
    return found


def settle(tx: Connection, host: HostRow, run: RunRow, how: str, entries: Entries) -> Traffic:
    """Apply the adoption *how* to the waiting bytes of *run*; return the bytes added to usage."""
    run.doubt, waits, run.waits = "", run.waits, None
    added = Traffic()
    if waits is None:
        return added  # its counters were refused, and nothing waits
    where = waiting.c.run_id == run.id
    if how == "count":
        query = select(waiting, users.c.name).join(users, users.c.id == waiting.c.user_id)
        for row in tx.execute(query.where(where)):
            entries.count(row.name, host, run.since, waits, (row.up, row.down))
            added += Traffic(row.up, row.down)
            _lower_baseline(tx, run.id, row)
    else:
        entries.gap(host, "uncounted", run.since, waits)
    tx.execute(delete(waiting).where(where))
    return added


def _lower_baseline(tx: Connection, run: int, row: Any) -> None:
    same = (baselines.c.run_id == run) & (baselines.c.user_id == row.user_id)
    less = {"up": baselines.c.up - row.up, "down": baselines.c.down - row.down}
    tx.execute(update(baselines).where(same).values(less))


def decide(tx: Connection, names: Iterable[str], how: Adopt, now: int) -> Decided:
    """Apply the adoption *how* to the hosts *names*, or store it for hosts never read."""
    wanted = sorted(set(names))
    frame = tx.execute(select(ledger).with_for_update()).one()
    marked = tx.execute(select(func.max(marks.c.at))).scalar() or 0
    entries = Entries(
        ZoneInfo(frame.zone), frame.rolled, frame.fives_from, frame.hours_from, marked
    )
    entries.lives = Lives(tx)
    there = list(locked_hosts(tx, wanted, frame, now).values())
    applied = {
        host.name: t for host in there if (t := _decide_on(tx, host, how, entries)) is not None
    }
    for host in there:
        host.decision = how if host.read is None and host.name not in applied else ""
    runs_of.save_hosts(tx, there)
    entries.write_usage(tx)
    include(tx, entries.counted)
    if entries.gaps:
        tx.execute(gaps.insert(), entries.gaps)
    before_marks(tx, entries.before_marks)
    stored = tuple(host.name for host in there if host.decision)
    idle = tuple(name for name in wanted if name not in applied and name not in stored)
    return Decided(applied, stored, idle)


def _decide_on(tx: Connection, host: HostRow, how: Adopt, entries: Entries) -> Traffic | None:
    """Apply *how* to one host; return the bytes that waited, or None if none did."""
    query = select(runs).where(runs.c.host_id == host.id, runs.c.waits.is_not(None))
    asked = [run for row in tx.execute(query) if (run := RunRow(**row._mapping)).asks]
    if not asked:
        return None
    amounts = select(func.sum(waiting.c.up), func.sum(waiting.c.down))
    up, down = tx.execute(amounts.where(waiting.c.run_id.in_([run.id for run in asked]))).one()
    for run in asked:
        settle(tx, host, run, how, entries)
    runs_of.save(tx, asked)
    host.adopted = how
    return Traffic(int(up or 0), int(down or 0))
