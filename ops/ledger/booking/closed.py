"""Which runs are over and booked: what a host still keeps of them need not be fetched again."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from ops.ledger.database.schema import hosts, runs
from ops.ledger.ledger import Ledger

_CLOSED = (
    select(hosts.c.name, runs.c.identity)
    .join(runs)
    .where(runs.c.closed, runs.c.ended.is_not(None), ~runs.c.settled)
)


def closed_runs(ledger: Ledger, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, by host, the identities of runs of which all is booked that their hosts keep.

    A ledger that was restored from a backup does not know it of later runs, and so asks for
    them by itself; a second ledger has its own opinion.
    """
    wanted = set(names)

    def asked(tx: Connection) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name, identity in tx.execute(_CLOSED):
            if name in wanted:
                found.setdefault(name, set()).add(identity)
        return found

    return {name: frozenset(over) for name, over in ledger.store.read(asked).items()}
