"""The interface of the ledger: one method for each operation."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Unpack
from uuid import uuid4

from sqlalchemy import Connection

from ops.ledger.answers import marks, missing, nic, usage, verify
from ops.ledger.answers.calendar import hour_of, moment
from ops.ledger.answers.expected import Expected
from ops.ledger.answers.known import Known
from ops.ledger.answers.marks import Mark
from ops.ledger.answers.missing import Missing
from ops.ledger.answers.nic import NicUsage
from ops.ledger.answers.question import Narrowed, Question
from ops.ledger.answers.spans import BY_KEY, By
from ops.ledger.answers.usage import Usage
from ops.ledger.booking import booking, doubts, enrolment, pruning, rollup, ruling, runs
from ops.ledger.booking.doubts import Decided
from ops.ledger.booking.enrolment import HostState, Inventory
from ops.ledger.booking.pruning import Pruned
from ops.ledger.database import backup, export
from ops.ledger.database.lease import FileLease, Lease, SharedLease
from ops.ledger.database.rows import Adopt
from ops.ledger.database.store import Store
from ops.model import Booked, LedgerSettings, Observation

Clock = Callable[[], datetime]
_AT_ONCE = 50_000
"""Counters in one transaction; more would block other writers for too long."""


class Ledger:
    """A database in which readings become usage. Open it with :func:`ops.ledger.open_ledger`.

    Every method raises LedgerError if the database is down or locked for too long.
    """

    def __init__(self, store: Store, zone: str, keep: LedgerSettings, clock: Clock) -> None:
        self.store = store
        self.keep = keep
        self.zone = zone
        """The time zone of its days and months, as in ``Europe/Amsterdam``."""
        self._clock = clock
        self._rolled = 0
        """The hour until which buckets are rolled up, as far as this program knows."""

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the database."""
        self.store.engine.dispose()

    def now(self) -> int:
        """Return the collector's time, in milliseconds."""
        return moment(self._clock())

    def book(self, observation: Observation, adopt: Adopt | None = None) -> Booked:
        """Book one observation, whole or not at all."""
        return self.book_all([observation], adopt)[0]

    def book_all(
        self, observations: Sequence[Observation], adopt: Adopt | None = None
    ) -> list[Booked]:
        """Book *observations*, each whole or not at all; return an answer for each, in order.

        A second booking of the same observation adds nothing, in any order and by any program.
        LedgerError if the database is down or full; the next round books the rest.
        """
        booked: list[Booked] = []
        for batch in _batches(observations):
            work = partial(booking.book, observations=batch, adopt=adopt, now=self.now())
            booked += self.store.written(work)
        self.roll()
        return booked

    def roll(self) -> None:
        """Sum past hours into hours, days and months. Booking calls this, too."""
        if hour_of(self.now() // 1000) <= self._rolled:
            return

        def roll(tx: Connection) -> bool:
            rollup.roll(tx, self.now())
            return pruning.due(tx, self.keep, self.now())

        if self.store.read(lambda tx: rollup.due(tx, self.now())) and self.store.written(roll):
            self.prune()
        self._rolled = hour_of(self.now() // 1000)

    def enrol(
        self,
        hosts: Iterable[str],
        keys: Iterable[str],
        *,
        absent: Iterable[str] = (),
        opens: Mapping[str, Collection[str]] | None = None,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        """Tell the ledger the whole inventory. Names that are missing have left; history stays.

        A host belongs to the fleet from the first call with its name. A key that left and comes
        back later begins a second life without the usage of the first.

        Args:
            hosts: the names of all hosts.
            keys: the names of all keys.
            absent: the hosts that the inventory wants without a core.
            opens: by key, the hosts that it may open; None: every key opens every host.
            addresses: by host, the address that ssh dials.
        """
        told = Inventory(
            hosts=list(hosts),
            keys=list(keys),
            absent=set(absent),
            opens=opens,
            addresses=addresses or {},
        )
        self.store.written(lambda tx: enrolment.enrol(tx, told, self.now()))

    def decide(self, hosts: Iterable[str], how: Adopt) -> Decided:
        """Adopt counters of *hosts* from before the ledger knew these hosts.

        ``count`` adds them to usage, ``baseline`` leaves them out. For a host that was never read,
        the decision is stored until its first reading.
        """
        names = list(hosts)
        return self.store.written(lambda tx: doubts.decide(tx, names, how, self.now()))

    def rule_out(self, host: str, who: str) -> None:
        """Take it from *who* that nothing counted under the name *host* before its first reading.

        LedgerError if there is nothing to rule out: it was read, or is in the inventory.
        """
        self.store.written(lambda tx: ruling.rule_out(tx, host, who, self.now()))

    def hosts(self) -> list[HostState]:
        """Return the state of each host, with its last reading and run."""
        return self.store.read(enrolment.host_states)

    def keys(self) -> list[str]:
        """Return the names of all keys that the ledger ever knew."""
        return self.store.read(enrolment.key_names)

    def closed_runs(self, hosts: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return, by host, the runs that need no fetching: they ended, and all is booked."""
        names = list(hosts)
        return self.store.read(lambda tx: runs.closed(tx, names))

    def lease(self) -> Lease:
        """Return a lease, which gives one collector its hosts for each round.

        SQLite: all hosts, for one collector at a time. PostgreSQL: a share for each collector.
        """
        if self.store.is_sqlite:
            return FileLease(Path(self.store.engine.url.database or ""))
        return SharedLease(self.store)

    def usage(
        self,
        since: datetime,
        until: datetime,
        *,
        by: Sequence[By] = BY_KEY,
        **more: Unpack[Narrowed],
    ) -> Usage:
        """Return the usage in [since, until), one row for each combination of *by*.

        Combinations without usage have no row. UsageError if hours are needed and were deleted.
        """
        question = Question(since=since, until=until, by=by, **more)
        return self.store.read(lambda tx: usage.usage(tx, question, self.now()))

    def usage_since_marks(self, **more: Unpack[Narrowed]) -> Usage:
        """Return the usage of each key since its last mark; keys without a mark are left out."""
        now = self._clock()
        question = Question(since=now, until=now, **more)
        return self.store.read(lambda tx: usage.since_marks(tx, question, self.now()))

    def nic(self, host: str, since: datetime, until: datetime) -> NicUsage | None:
        """Return the bytes of the network cards of *host* in whole days; None if never read."""
        span = moment(since) // 1000, moment(until) // 1000
        return self.store.read(lambda tx: nic.moved(tx, host, *span))

    def missing(
        self,
        since: datetime,
        until: datetime,
        *,
        fleet: Collection[str] = (),
        absent: Collection[str] = (),
    ) -> list[Missing]:
        """Return the known reasons why figures of [since, until) may lack bytes.

        *fleet*, *absent*: the hosts that the inventory wants with and without a core. Hosts that
        the ledger does not know count as never read.
        """
        span = moment(since), moment(until)
        inventory = Expected(fleet=fleet, absent=absent)
        return self.store.read(
            lambda tx: missing.missing(tx, Known.of(tx), *span, self.now(), inventory)
        )

    def mark(self, key: str, at: datetime | None = None, token: str = "") -> Mark:
        """Reset *key* for people at *at* (default: now). No counter is set to 0.

        Repeated calls with the same *token* mark once.
        """
        stamp, once = moment(at or self._clock()), token or uuid4().hex
        self.store.written(lambda tx: marks.set_mark(tx, key, stamp, once))
        return self.marks([key])[-1]

    def readings(self, key: str) -> dict[str, datetime | None]:
        """Return when each host that may hold bytes of *key* was last read; None if never."""
        return self.store.read(lambda tx: marks.readings(tx, key))

    def marks(self, keys: Iterable[str] | None = None) -> list[Mark]:
        """Return the marks of *keys* (None: of all keys), oldest first."""
        names = None if keys is None else list(keys)
        return self.store.read(lambda tx: marks.marks_of(tx, names))

    def verify(self) -> list[str]:
        """Return a sentence for each wrong sum; an empty list if all sums are right."""
        return self.store.read(lambda tx: list(verify.faults(tx)))

    def export(self) -> Iterator[str]:
        """Yield one snapshot of the ledger as lines of JSON."""
        with self.store.reading() as tx:
            yield from export.lines(tx)

    def import_(self, lines: Iterable[str]) -> int:
        """Import an export; return the number of rows. LedgerError if this ledger is not empty."""
        return self.store.once(lambda tx: export.take_in(tx, lines))

    def backup(self, target: Path) -> None:
        """Copy the ledger to *target* while it is in use (SQLite)."""
        backup.backup(self.store, target)

    def prune(self) -> Pruned:
        """Delete rows past their retention. Totals stay. Booking calls this, too."""
        return self.store.written(lambda tx: pruning.prune(tx, self.keep, self.now()))


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def _batches(observations: Sequence[Observation]) -> Iterable[list[Observation]]:
    """Split *observations* into transactions, each host and each run at most once in a transaction.

    One server under two names shows the same run twice; the second booking needs the first.
    """
    batch: list[Observation] = []
    names: set[str] = set()
    size = 0
    for observation in observations:
        weight = sum(len(reading.users) for reading in observation.readings)
        own = {observation.host, *(f"run {r.run}" for r in observation.readings if r.run)}
        if batch and (not names.isdisjoint(own) or size + weight > _AT_ONCE):
            yield batch
            batch, names, size = [], set(), 0
        batch.append(observation)
        names |= own
        size += weight
    if batch:
        yield batch
