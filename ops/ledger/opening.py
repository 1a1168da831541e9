"""Open the ledger of a fleet, and make or migrate its database where need be."""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, insert, select

from ops.errors import LedgerError
from ops.ledger.answers.calendar import hour_of, moment
from ops.ledger.database.engine import engine_of, url_of
from ops.ledger.database.migrating import NEWEST, migrate, version_of
from ops.ledger.database.schema import ledger
from ops.ledger.database.store import Store
from ops.ledger.ledger import Clock, Ledger, utc_now
from ops.model import Fleet, LedgerSettings


def open_ledger(
    where: str | Path | Fleet,
    *,
    zone: str = "",
    clock: Clock = utc_now,
    patience: float = 20.0,
    make: bool = True,
) -> Ledger:
    """Open the ledger of a fleet, of a file or of a URL. With *make*, a missing one is created.

    Args:
        where: a URL, a file, or a fleet with its settings.
        zone: time zone of days and months; default: that of the fleet, else UTC. An existing
            ledger keeps its zone.
        clock: the collector's clock.
        patience: seconds to wait for a database that is locked or down.
        make: whether to create or migrate the database.

    Raises:
        LedgerError: it cannot be opened, or has another zone.
    """
    wanted = zone or (where.ledger.zone if isinstance(where, Fleet) else "")
    _check(wanted or "UTC")
    store = Store(engine_of(url_of(where), patience, make=make), patience)
    try:
        if store.read(version_of) != NEWEST:
            _demand(make or store.read(version_of))
            store.written(migrate)
        kept = store.read(lambda tx: _zone_of(tx, wanted))
        if not kept:
            _demand(make)
            kept = store.written(lambda tx: _begin(tx, wanted or "UTC", moment(clock())))
    except BaseException:
        store.engine.dispose()
        raise
    keep = where.ledger if isinstance(where, Fleet) else LedgerSettings(zone=kept)
    return Ledger(store, kept, keep, clock)


_OTHER_ZONE = (
    "the ledger counts its days in {0}, hosts.toml says {1}: days that were counted cannot be cut "
    "anew. Write zone = {0!r}, and ask `ops usage --zone {1}` where other days are wanted"
)


def _demand(there: object) -> None:
    if not there:
        raise LedgerError("there is no ledger yet: `ops collect` begins it")


def _zone_of(tx: Connection, zone: str) -> str:
    """Return the ledger's zone; empty if it is new. LedgerError if it is not *zone*."""
    kept = tx.execute(select(ledger.c.zone)).scalar() or ""
    if kept and zone and kept != zone:
        raise LedgerError(_OTHER_ZONE.format(kept, zone))
    return kept


def _begin(tx: Connection, zone: str, now: int) -> str:
    """Write the ledger's own row unless it exists; return the zone."""
    if kept := _zone_of(tx, zone):
        return kept
    first = {"id": 1, "zone": zone, "created": now, "rolled": hour_of(now // 1000)}
    tx.execute(insert(ledger).values(**first, fives_from=0, hours_from=0))
    return zone


def _check(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise LedgerError(f"{zone!r} is no time zone; write one such as Europe/Amsterdam") from None
