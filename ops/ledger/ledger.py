"""The ledger's face: everything that is done with it is a method here."""

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
from ops.ledger.booking import booking, doubts, enrolment, pruning, rollup
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
"""Counters in a transaction: enough to be quick, few enough to let others in."""


class Ledger:
    """Where readings become usage that nothing can take back. Made by ``open_ledger``."""

    def __init__(self, store: Store, zone: str, keep: LedgerSettings, clock: Clock) -> None:
        self.store = store
        self.keep = keep
        self.zone = zone
        """The time zone of its days and months, as in ``Europe/Amsterdam``."""
        self._clock = clock
        self._rolled = 0
        """The hour until which this program knows that hours are added up."""

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.store.engine.dispose()

    def now(self) -> int:
        """Return the collector's time, in milliseconds."""
        return moment(self._clock())

    def book(self, observation: Observation, adopt: Adopt | None = None) -> Booked:
        """Book one observation, whole or not at all. LedgerError if the database is away."""
        return self.book_all([observation], adopt)[0]

    def book_all(
        self, observations: Sequence[Observation], adopt: Adopt | None = None
    ) -> list[Booked]:
        """Book *observations*, each whole or not at all; return what became of them, in order.

        To book the same again adds nothing, whoever does it and in whatever order. LedgerError
        if the database is away or full: what was not booked is booked by the next round.
        """
        booked: list[Booked] = []
        for batch in _batches(observations):
            work = partial(booking.book, observations=batch, adopt=adopt, now=self.now())
            booked += self.store.written(work)
        self.roll()
        return booked

    def roll(self) -> None:
        """Add hours that have ended to the hours, days and months; booking does it, too."""
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
        """Tell the ledger the whole inventory; names that are missing have left, history stays.

        A host belongs to the fleet from the first time that it is told of. A key that left and
        comes back later is another one: it inherits nothing. *absent*: the hosts that are to be
        without a core. *opens*: by key, the hosts that it may open; without it, all. *addresses*:
        by host, the place that its name stands for.
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
        """Decide about counters of *hosts* that are older than the ledger's knowledge of them.

        ``count`` adds them to usage, ``baseline`` leaves them out. For a host that was never read
        the decision is stored until its first reading.
        """
        names = list(hosts)
        return self.store.written(lambda tx: doubts.decide(tx, names, how, self.now()))

    def hosts(self) -> list[HostState]:
        """Return when each host was last read, and which run it was in then."""
        return self.store.read(enrolment.host_states)

    def keys(self) -> list[str]:
        """Return the names of all keys that the ledger ever heard of."""
        return self.store.read(enrolment.key_names)

    def lease(self) -> Lease:
        """Return the lease of one collector: which hosts are its own, round by round.

        SQLite: all, while no other collector is there. PostgreSQL: a share for each that is.
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
        """Return what was used in [since, until), a row for each combination of *by*.

        Only what was used at all has a row. UsageError where it is finer than what is kept.
        """
        question = Question(since=since, until=until, by=by, **more)
        return self.store.read(lambda tx: usage.usage(tx, question, self.now()))

    def usage_since_marks(self, **more: Unpack[Narrowed]) -> Usage:
        """Return what each key used since its last mark; those that have none are left out."""
        now = self._clock()
        question = Question(since=now, until=now, **more)
        return self.store.read(lambda tx: usage.since_marks(tx, question, self.now()))

    def nic(self, host: str, since: datetime, until: datetime) -> NicUsage | None:
        """Return what the network cards of *host* moved in whole days; None if never read."""
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

        *fleet*, *absent*: hosts of the inventory that may count, and that are to be without a
        core; those that the ledger was never told of were never read.
        """
        span = moment(since), moment(until)
        inventory = Expected(fleet=fleet, absent=absent)
        return self.store.read(
            lambda tx: missing.missing(tx, Known.of(tx), *span, self.now(), inventory)
        )

    def mark(self, key: str, at: datetime | None = None, token: str = "") -> Mark:
        """Reset *key* for people: its usage since is counted from here. Nothing is zeroed.

        The same *token* marks once, however often it is sent.
        """
        stamp, once = moment(at or self._clock()), token or uuid4().hex
        self.store.written(lambda tx: marks.set_mark(tx, key, stamp, once))
        return self.marks([key])[-1]

    def marks(self, keys: Iterable[str] | None = None) -> list[Mark]:
        """Return the marks of *keys*, of all if None, oldest first."""
        names = None if keys is None else list(keys)
        return self.store.read(lambda tx: marks.marks_of(tx, names))

    def verify(self) -> list[str]:
        """Return what does not add up, a sentence each: nothing where all is well."""
        return self.store.read(lambda tx: list(verify.faults(tx)))

    def export(self) -> Iterator[str]:
        """Yield the whole ledger as lines of JSON, as it is at one moment."""
        with self.store.reading() as tx:
            yield from export.lines(tx)

    def import_(self, lines: Iterable[str]) -> int:
        """Take in an export; return its rows. LedgerError if this ledger is not empty."""
        return self.store.once(lambda tx: export.take_in(tx, lines))

    def backup(self, target: Path) -> None:
        """Copy the ledger to *target* while it is in use (SQLite)."""
        backup.backup(self.store, target)

    def prune(self) -> Pruned:
        """Let go of what is older than it is kept; totals never change. Booking does it, too."""
        return self.store.written(lambda tx: pruning.prune(tx, self.keep, self.now()))


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def _batches(observations: Sequence[Observation]) -> Iterable[list[Observation]]:
    """Split *observations* into transactions: a host and a run once in each, not too many counters.

    One server under two names shows the same run twice: the second follows the first.
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
