"""Delete rows past their retention. No total ever changes."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text, update

from ops.ledger.answers.calendar import HOUR, five_of, hour_of
from ops.ledger.database.bulk import conflict
from ops.ledger.database.schema import baselines, counters, fives, hours, ledger, runs, settled
from ops.model import LedgerSettings

_DAY = 86400
_FRAME = select(ledger)
_LOCKED = _FRAME.with_for_update()


@dataclass(frozen=True, slots=True)
class Pruned:
    """The numbers of deleted rows."""

    fives: int
    hours: int
    runs: int


def due(tx: Connection, keep: LedgerSettings, now: int) -> bool:
    """Say whether a whole hour of five-minute buckets is past its retention."""
    frame = tx.execute(_FRAME).one()
    due_until: int = min(frame.rolled, five_of(now) - keep.keep_fives * _DAY)
    return due_until >= int(frame.fives_from) + HOUR


def prune(tx: Connection, keep: LedgerSettings, now: int) -> Pruned:
    """Delete buckets, and sum up ended runs, that are older than *keep* says."""
    frame = tx.execute(_LOCKED).one()
    # Buckets that are not rolled up yet must stay.
    fives_from = min(frame.rolled, hour_of(now // 1000 - keep.keep_fives * _DAY))
    hours_from = min(frame.rolled, hour_of(now // 1000 - keep.keep_hours * _DAY))
    fives_from = max(frame.fives_from, fives_from)
    hours_from = max(frame.hours_from, hours_from)
    gone = tx.execute(delete(fives).where(fives.c.t < fives_from)).rowcount
    gone_hours = tx.execute(delete(hours).where(hours.c.t < hours_from)).rowcount
    tx.execute(update(ledger).values(fives_from=fives_from, hours_from=hours_from))
    return Pruned(gone, gone_hours, _settle(tx, now - keep.keep_runs * _DAY * 1000))


_SUM = """\
INSERT INTO settled (host_id, user_id, up, down)
SELECT r.host_id, c.user_id, c.up - COALESCE(b.up, 0), c.down - COALESCE(b.down, 0)
FROM counters c JOIN runs r ON r.id = c.run_id
LEFT JOIN baselines b ON b.run_id = c.run_id AND b.user_id = c.user_id
WHERE c.run_id = :run"""


def _settle(tx: Connection, before: int) -> int:
    """Replace runs that ended *before* by their sum: no host has their readings any more."""
    over = (
        select(runs.c.id)
        .where(runs.c.ended.is_not(None), runs.c.ended < before, ~runs.c.settled)
        .with_for_update()
    )
    ids = list(tx.execute(over).scalars())
    for id_ in ids:
        tx.execute(text(f"{_SUM} {conflict(settled)}"), {"run": id_})
        for table in (counters, baselines):
            tx.execute(delete(table).where(table.c.run_id == id_))
        tx.execute(update(runs).where(runs.c.id == id_).values(settled=True))
    return len(ids)
