"""A question to the ledger, and its hosts, keys and sums."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypedDict

from sqlalchemy import BindParameter, Connection, Select, Table, bindparam, func, select

from ops.ledger.answers.calendar import when
from ops.ledger.answers.expected import Expected, may_count
from ops.ledger.answers.known import Known
from ops.ledger.answers.missing import EVERY
from ops.ledger.answers.periods import Piece
from ops.ledger.answers.spans import BY_KEY, By
from ops.ledger.booking.access import Reach, reach_of
from ops.ledger.booking.doubts import waiting_keys
from ops.ledger.database.schema import keys
from ops.model import Traffic


class Narrowed(TypedDict, total=False):
    """The optional arguments of :meth:`Ledger.usage`; see :class:`Question`."""

    zone: str
    keys: Collection[str] | None
    hosts: Collection[str] | None
    spliced: Collection[str]
    opens: Mapping[str, Collection[str]] | None
    fleet: Collection[str]
    absent: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question: usage in [since, until), one row for each combination of *by*."""

    since: datetime
    until: datetime
    by: Sequence[By] = BY_KEY
    zone: str = ""
    """Time zone of hours, days and months; empty: the ledger's own."""
    keys: Collection[str] | None = None
    hosts: Collection[str] | None = None
    spliced: Collection[str] = ()
    opens: Mapping[str, Collection[str]] | None = None
    """The hosts that each key of the inventory may open now."""
    fleet: Collection[str] = ()
    """The hosts of the inventory that may count."""
    absent: Collection[str] = ()
    """The hosts that the inventory wants without a core."""


_KEYS = select(keys)


@cache
def _sums(table: Table, by: tuple[str, ...], narrowed: tuple[str, ...]) -> Select[*tuple[int, ...]]:
    """Return the query for sums of buckets. *narrowed* names the lists that it selects by."""
    columns = [table.c[name] for name in by]
    query = select(*columns, func.sum(table.c.up), func.sum(table.c.down)).group_by(*columns)
    query = query.where(table.c.t >= bindparam("since"), table.c.t < bindparam("until"))
    for name in narrowed:
        some: BindParameter[int] = bindparam(name, expanding=True)
        query = query.where(table.c[f"{name.removesuffix('s')}_id"].in_(some))
    return query


class Asked:
    """A question with the numbers that the tables have for names."""

    def __init__(self, tx: Connection, question: Question, known: Known) -> None:
        self._tx = tx
        self.question = question
        self.hosts = {row.id: row for row in known.hosts if self.about(row.name)}
        self.names = {id_: row.name for id_, row in self.hosts.items()}
        inventory = {*question.fleet, *question.absent}
        self.everyone = {*self.names.values(), *filter(self.about, inventory)}
        """The names of all hosts of the answer."""
        self.seen = waiting_keys(tx)
        """By key: the hosts with bytes of it, also bytes that wait for a decision."""
        wanted = question.keys
        rows = tx.execute(_KEYS)
        self.keys = {row.id: row for row in rows if wanted is None or row.name in wanted}
        self.inventory = Expected(
            fleet=[name for name in question.fleet if self.about(name)],
            absent=[name for name in question.absent if self.about(name)],
            spliced=question.spliced,
        )
        self._reach = reach_of(tx, self.keys, question.opens, known.names)
        self._aliases = known.aliases
        self.read_at = {
            row.name: None if row.read is None else when(row.read)
            for row in self.hosts.values()
            if self.inventory.names(row) or may_count(row)
        } | dict.fromkeys(self.everyone - set(self.names.values()))
        """By host that may still count: its last reading."""

    @property
    def as_of(self) -> datetime | None:
        """Return the oldest of the last readings; None if no host was ever read."""
        return min((at for at in self.read_at.values() if at is not None), default=None)

    def about(self, host: str) -> bool:
        """Say whether the question includes *host*; ``EVERY`` is always included."""
        return host == EVERY or self.question.hosts is None or host in self.question.hosts

    def reach(self, key: str) -> Reach:
        """Return the hosts of the question that may hold bytes of *key*; None means all."""
        reach = self._reach.get(key)
        if reach is None:
            return None
        reach = reach | self.seen.get(key, set())
        same = (self._aliases[host] for host in reach if host in self._aliases)
        return frozenset(filter(self.about, reach.union(*same)))

    def openers(self) -> Iterator[str]:
        """Yield the keys of the inventory that the answer is about.

        An answer about some hosts is about the keys that could ever open one of them.
        """
        question, told = self.question, {row.name for row in self.keys.values()}
        for name, hosts in (question.opens or {}).items():
            if question.keys is not None:
                yield from [name] if name in question.keys else []
                continue
            reach = self.reach(name) if name in told else frozenset(filter(self.about, hosts))
            if question.hosts is None or reach is None or reach:
                yield name

    def places(self) -> set[str]:
        """Return the hosts that the answer is about: with keys, those that they could open."""
        reaches = [self.reach(name) for name in self.question.keys or ()]
        if not reaches or None in reaches:
            return self.everyone
        return {host for reach in reaches if reach is not None for host in reach}

    def place(self, key: int, host: int) -> tuple[int, int]:
        """Return the row of a key and a host; 0 replaces a number that rows are not grouped by."""
        by = self.question.by
        return key if "key" in by else 0, host if "host" in by else 0

    def key_name(self, key: int) -> str:
        """Return the name of a key; empty for 0."""
        return str(self.keys[key].name) if key else ""

    def about_key(self, key: int) -> dict[str, Any]:
        """Return the fields of a row that describe its key."""
        if not key:
            return {}
        row = self.keys[key]
        gone = None if row.gone is None else when(row.gone)
        return {"key": row.name, "life": row.life, "gone": gone}

    def sums(
        self, piece: Piece, *, by_bucket: bool = False
    ) -> Iterator[tuple[int, int, int, Traffic]]:
        """Yield (bucket, key, host, bytes) of *piece*; 0 for each that is not grouped by."""
        asked = {"key", "host"} if "key" in self.question.by else set(self.question.by)
        wanted = {"keys": self.question.keys, "hosts": self.question.hosts}
        narrowed = tuple(name for name in wanted if wanted[name] is not None)
        ids_ = [f"{name}_id" for name in ("key", "host") if name in asked]
        by = tuple(["t", *ids_] if by_bucket else ids_)
        values: dict[str, object] = {"since": piece.since, "until": piece.until}
        values |= {name: list(getattr(self, name)) for name in narrowed}
        for *ids, up, down in self._tx.execute(_sums(piece.table, by, narrowed), values):
            if up is None:  # a sum of no rows
                continue  # type: ignore[unreachable]
            bucket = ids.pop(0) if by_bucket else 0
            key, host = ids[0] if "key" in asked else 0, ids[-1] if "host" in asked else 0
            if key:
                self.seen.setdefault(self.keys[key].name, set()).add(self.names[host])
            yield bucket, *self.place(key, host), Traffic(int(up), int(down))
