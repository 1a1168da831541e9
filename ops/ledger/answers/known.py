"""The ledger's facts about all hosts, read once for all parts of one answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from ops.ledger.booking.sightings import NAMELESS
from ops.ledger.database.schema import hosts, ledger, runs

_other, _alias = runs.alias(), hosts.alias()
SAME = (_other.c.identity == runs.c.identity) & (_other.c.host_id != runs.c.host_id)
_TWICE = (
    select(runs, hosts.c.name, _alias.c.name.label("alias"))
    .add_columns(_other.c.first.label("begun"), _other.c.read.label("last"))
    .add_columns(_alias.c.gone.label("left"))
    .join(hosts, hosts.c.id == runs.c.host_id)
    .join(_other, SAME)
    .join(_alias, _alias.c.id == _other.c.host_id)
    .where(~runs.c.identity.startswith(NAMELESS))
)
"""Runs that were read under two host names: a row for each name."""
_FRAME = select(ledger)
_HOSTS = select(hosts)


@dataclass(frozen=True, slots=True)
class Known:
    """The ledger's own row, the rows of its hosts, and the runs of two host names."""

    frame: Row[Any]
    hosts: Sequence[Row[Any]]
    twice: Sequence[Row[Any]]
    """Rows of runs that were read under two host names."""

    @classmethod
    def of(cls, tx: Connection) -> "Known":
        """Read the facts in the transaction *tx*."""
        twice = tx.execute(_TWICE).all()
        return cls(tx.execute(_FRAME).one(), tx.execute(_HOSTS).all(), twice)

    @property
    def names(self) -> dict[int, str]:
        """Return the names of all hosts by number."""
        return {row.id: row.name for row in self.hosts}

    @property
    def aliases(self) -> dict[str, set[str]]:
        """Return by host the other names under which runs of the same machine were read."""
        found: dict[str, set[str]] = {}
        for run in self.twice:
            found.setdefault(run.name, set()).add(run.alias)
        return found
