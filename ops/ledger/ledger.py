"""The ledger's face: everything that is done with it is a method here."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, func, select

from ops.ledger import booking, enrolment, marks, rolling
from ops.ledger.calendar import moment
from ops.ledger.enrolment import HostState
from ops.ledger.lease import FileLease, Lease, SharedLease
from ops.ledger.marks import Mark
from ops.ledger.records import Adopt, Booked
from ops.ledger.schema import hosts
from ops.ledger.store import Store
from ops.model import Observation

Clock = Callable[[], datetime]
_AT_ONCE = 50_000
"""Counters in a transaction: enough to be quick, few enough to let others in."""


class Ledger:
    """Where readings become usage that nothing can take back. Made by ``open_ledger``."""

    def __init__(self, store: Store, zone: str, clock: Clock) -> None:
        self.store = store
        self.zone = zone
        """The time zone of its days and months, as in ``Europe/Amsterdam``."""
        self._clock = clock

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

        def latest(tx: Connection) -> int:
            return max(self.now(), tx.execute(select(func.max(hosts.c.read))).scalar() or 0)

        if self.store.read(lambda tx: rolling.due(tx, latest(tx))):
            self.store.written(lambda tx: rolling.roll(tx, latest(tx)))

    def enrol(self, hosts: Iterable[str], keys: Iterable[str]) -> None:
        """Tell the ledger the whole inventory: what is missing from it has left, and history stays.

        A host's counters are ours in full from when it was first told of. A key that left and
        comes back later is another one: it inherits nothing.
        """
        names = list(hosts), list(keys)
        self.store.written(lambda tx: enrolment.enrol(tx, *names, self.now()))

    def hosts(self) -> list[HostState]:
        """Return when each host was last read, and which run it was in then."""
        return self.store.read(enrolment.host_states)

    def lease(self) -> Lease:
        """Return the lease of one collector: which hosts are its own, round by round.

        SQLite: all, while no other collector is there. PostgreSQL: a share for each that is.
        """
        if self.store.is_sqlite:
            return FileLease(Path(self.store.engine.url.database or ""))
        return SharedLease(self.store)

    def mark(self, key: str, at: datetime | None = None, token: str = "") -> Mark:
        """Reset *key* for people: its usage since is counted from here. Nothing is zeroed.

        The same *token* marks once, however often it is sent. UsageError for an unknown key.
        """
        stamp, once = moment(at or self._clock()), token or uuid4().hex
        self.store.written(lambda tx: marks.set_mark(tx, key, stamp, once))
        return self.marks([key])[-1]

    def marks(self, keys: Iterable[str] | None = None) -> list[Mark]:
        """Return the marks of *keys*, of all if None, oldest first."""
        names = None if keys is None else list(keys)
        return self.store.read(lambda tx: marks.marks_of(tx, names))


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def _batches(observations: Sequence[Observation]) -> Iterable[list[Observation]]:
    """Split *observations* into transactions: a host once in each, and not too many counters."""
    batch: dict[str, Observation] = {}
    size = 0
    for observation in observations:
        weight = sum(len(reading.users) for reading in observation.kept)
        weight += len(observation.now.users) if observation.now else 0
        if observation.host in batch or (batch and size + weight > _AT_ONCE):
            yield list(batch.values())
            batch, size = {}, 0
        batch[observation.host] = observation
        size += weight
    if batch:
        yield list(batch.values())
