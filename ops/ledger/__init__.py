"""The ledger: readings become usage that nothing can take back, in SQLite or PostgreSQL.

Usage is the sum over the core's runs of the highest value seen, per user and direction. A run is
told by its identity, so no clock and no order of readings can make it more or less; what may be
missing is told with every figure.
"""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, insert, select

from ops.errors import LedgerError
from ops.ledger.calendar import hour_of, moment
from ops.ledger.enrolment import HostState
from ops.ledger.ledger import Clock, Ledger, utc_now
from ops.ledger.marks import Mark
from ops.ledger.migrating import migrate
from ops.ledger.opening import VARIABLE, engine_of, url_of
from ops.ledger.records import Adopt, Booked
from ops.ledger.schema import ledger
from ops.ledger.store import Store
from ops.model import Fleet

__all__ = ["VARIABLE", "Adopt", "Booked", "HostState", "Ledger", "Mark", "open_ledger"]


def open_ledger(
    where: str | Path | Fleet,
    *,
    zone: str = "",
    clock: Clock = utc_now,
    patience: float = 20.0,
) -> Ledger:
    """Open the ledger of a fleet, in a file, or at a URL; it is made if need be.

    *zone* is for a new ledger (of a fleet: what hosts.toml says, else UTC); one that is there
    keeps its own. *patience*: seconds to wait for a database that is held or away. LedgerError
    if it cannot be opened, or was begun in another zone.
    """
    wanted = zone or (where.ledger.zone if isinstance(where, Fleet) else "")
    _check(wanted or "UTC")
    store = Store(engine_of(url_of(where)), patience)
    try:
        store.written(migrate)
        kept = store.written(lambda tx: _zone_of(tx, wanted, moment(clock())))
    except BaseException:
        store.engine.dispose()
        raise
    return Ledger(store, kept, clock)


_OTHER_ZONE = (
    "the ledger counts its days in {0}, hosts.toml says {1}: a day that was counted cannot be cut "
    "anew. Write zone = {0!r}, or export it and import into a new ledger"
)


def _zone_of(tx: Connection, zone: str, now: int) -> str:
    """Return the ledger's zone; *zone* becomes it where the ledger is new."""
    kept = tx.execute(select(ledger.c.zone)).scalar()
    if kept and zone and kept != zone:
        raise LedgerError(_OTHER_ZONE.format(kept, zone))
    if kept is None:
        kept = zone or "UTC"
        hour = hour_of(now // 1000)
        first = {"id": 1, "zone": kept, "created": now, "rolled": hour}
        tx.execute(insert(ledger).values(**first, fives_from=0, hours_from=0))
    return kept


def _check(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise LedgerError(f"{zone!r} is no time zone; write one such as Europe/Amsterdam") from None
