"""A question to the ledger, and the hosts, keys and sums that it is about."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import Connection, Select, func, select

from ops.ledger.answers.calendar import when
from ops.ledger.answers.expected import Expected, may_count
from ops.ledger.answers.missing import EVERY, aliases
from ops.ledger.answers.periods import Piece
from ops.ledger.answers.spans import BY_KEY, By
from ops.ledger.booking.access import Reach, reach_of
from ops.ledger.booking.doubts import waiting_keys
from ops.ledger.database.schema import hosts, keys
from ops.model import Traffic


class Narrowed(TypedDict, total=False):
    """What an answer may be narrowed to; see :class:`Question`."""

    zone: str
    keys: Collection[str] | None
    hosts: Collection[str] | None
    spliced: Collection[str]
    opens: Mapping[str, Collection[str]] | None
    fleet: Collection[str]
    absent: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the ledger."""

    since: datetime
    until: datetime
    by: Sequence[By] = BY_KEY
    zone: str = ""
    """In whose hours, days and months; the ledger's own if empty."""
    keys: Collection[str] | None = None
    hosts: Collection[str] | None = None
    spliced: Collection[str] = ()
    opens: Mapping[str, Collection[str]] | None = None
    """The hosts that each key of the inventory may open now."""
    fleet: Collection[str] = ()
    """The hosts of the inventory that may count."""
    absent: Collection[str] = ()
    """The hosts of the inventory that are to be without a core."""


class Asked:
    """A question in the tables' numbers."""

    def __init__(self, tx: Connection, question: Question) -> None:
        self._tx = tx
        self.question = question
        self.hosts = {row.id: row for row in tx.execute(select(hosts)) if self.about(row.name)}
        self.names = {id_: row.name for id_, row in self.hosts.items()}
        inventory = {*question.fleet, *question.absent}
        self.everyone = {*self.names.values(), *filter(self.about, inventory)}
        """The names of all hosts that the answer is about."""
        self.seen = waiting_keys(tx)
        """Where each key was used, or may have been."""
        wanted = question.keys
        rows = tx.execute(select(keys))
        self.keys = {row.id: row for row in rows if wanted is None or row.name in wanted}
        self.inventory = Expected(
            fleet=[name for name in question.fleet if self.about(name)],
            absent=[name for name in question.absent if self.about(name)],
            spliced=question.spliced,
        )
        self._reach = reach_of(tx, self.keys, question.opens)
        self._aliases = aliases(tx)
        self.read_at = {
            row.name: None if row.read is None else when(row.read)
            for row in self.hosts.values()
            if self.inventory.names(row) or may_count(row)
        } | dict.fromkeys(self.everyone - set(self.names.values()))
        """By host that may still count: when it was last read."""

    @property
    def as_of(self) -> datetime | None:
        """Return when the host that waited longest was last read; None if none ever was."""
        return min((at for at in self.read_at.values() if at is not None), default=None)

    def about(self, host: str) -> bool:
        """Say whether *host* is asked for; what concerns every host always is."""
        return host == EVERY or self.question.hosts is None or host in self.question.hosts

    def reach(self, key: str) -> Reach:
        """Return the hosts of the question that may hold bytes of *key*; None is all of them."""
        reach = self._reach.get(key)
        if reach is None:
            return None
        reach = reach | self.seen.get(key, set())
        same = (self._aliases[host] for host in reach if host in self._aliases)
        return frozenset(filter(self.about, reach.union(*same)))

    def place(self, key: int, host: int) -> tuple[int, int]:
        """Return the row of a key and a host: 0 for what rows are not about."""
        by = self.question.by
        return key if "key" in by else 0, host if "host" in by else 0

    def key_name(self, key: int) -> str:
        """Return the name of a key; 0 has none."""
        return str(self.keys[key].name) if key else ""

    def about_key(self, key: int) -> dict[str, Any]:
        """Return the fields of a row that are about its key."""
        if not key:
            return {}
        row = self.keys[key]
        gone = None if row.gone is None else when(row.gone)
        return {"key": row.name, "life": row.life, "gone": gone}

    def sums(
        self, piece: Piece, *, by_bucket: bool = False
    ) -> Iterator[tuple[int, int, int, Traffic]]:
        """Yield the bytes in the buckets of *piece*: bucket, key and host as far as is asked."""
        table = piece.table
        amounts = func.sum(table.c.up), func.sum(table.c.down)
        asked = {"key", "host"} if "key" in self.question.by else set(self.question.by)
        by = [table.c.t] if by_bucket else []
        by += [table.c[f"{name}_id"] for name in ("key", "host") if name in asked]
        query: Select[*tuple[int, ...]] = select(*by, *amounts).group_by(*by)
        query = query.where(table.c.t >= piece.since, table.c.t < piece.until)
        if self.question.keys is not None:
            query = query.where(table.c.key_id.in_(list(self.keys)))
        if self.question.hosts is not None:
            query = query.where(table.c.host_id.in_(list(self.hosts)))
        for *ids, up, down in self._tx.execute(query):
            if up is None:  # a sum of no rows
                continue  # type: ignore[unreachable]
            bucket = ids.pop(0) if by_bucket else 0
            key, host = ids[0] if "key" in asked else 0, ids[-1] if "host" in asked else 0
            if key:
                self.seen.setdefault(self.keys[key].name, set()).add(self.names[host])
            yield bucket, *self.place(key, host), Traffic(int(up), int(down))
