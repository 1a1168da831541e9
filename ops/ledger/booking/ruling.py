"""A person rules out that anything counted under a name before its first reading."""

from sqlalchemy import Connection, func, insert, select, update

from ops.errors import LedgerError, UsageError
from ops.ledger.answers.calendar import when
from ops.ledger.database.rows import HostRow
from ops.ledger.database.schema import gaps, hosts

_DOUBT, RULED = "before", "ruled"


def rule_out(tx: Connection, name: str, who: str, now: int) -> None:
    """Take the doubts about the time before the first reading of host *name* for ruled out.

    UsageError if the ledger does not know the host, LedgerError if there is nothing to rule out.
    """
    host = _host(tx, name)
    of_host = gaps.c.host_id == host.id
    doubts = tx.execute(select(func.count()).where(of_host, gaps.c.kind == _DOUBT)).scalar_one()
    if host.read is None and host.gone is None:
        raise LedgerError(
            f"{name} was never read, and the inventory has it: delete it from hosts.toml and run "
            "`ops collect`, or wait for its first reading"
        )
    never = host.read is None and host.done is None
    if not (doubts or never):
        raise LedgerError(f"nothing is in doubt about {name} before its first reading")
    tx.execute(update(gaps).where(of_host, gaps.c.kind == _DOUBT).values(kind=RULED))
    values: dict[str, object] = {"ruled": f"{who}, {when(now):%Y-%m-%d %H:%M} UTC"}
    if never:
        span = {"since": host.earliest_run, "until": host.gone}
        tx.execute(insert(gaps), [{"host_id": host.id, "kind": RULED, **span}])
        values["done"] = now  # no figure waits for it any more
    tx.execute(update(hosts).where(hosts.c.id == host.id).values(values))


def _host(tx: Connection, name: str) -> HostRow:
    row = tx.execute(select(hosts).where(hosts.c.name == name).with_for_update()).one_or_none()
    if row is None:
        raise UsageError(f"the ledger has no host {name!r}; `ops ledger status` lists its hosts")
    return HostRow(**row._mapping)
