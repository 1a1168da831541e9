"""Ledgers for tests, with a clock that the test sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops.ledger import Ledger, open_ledger
from ops.model import Observation, Reading, Traffic

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Clock:
    """The collector's clock: it stands until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> datetime:
        """Let time pass; negative spans set the clock back."""
        self.now += timedelta(**span)
        return self.now


@dataclass
class Books:
    """A ledger, its clock, and how to open it again."""

    ledger: Ledger
    clock: Clock
    where: str | Path
    open: Callable[..., Ledger] = open_ledger

    def again(self) -> Ledger:
        """Open the same ledger as another program would."""
        return open_ledger(self.where, clock=self.clock)


def reading(
    host: str, run: str, users: Mapping[str, tuple[int, int]], read_at: datetime, **more: object
) -> Reading:
    """Return a reading; the run began an hour before, unless *more* says when."""
    blank = Reading(
        host=host,
        run=run,
        read_at=read_at,
        counting_since=read_at - timedelta(hours=1),
        users={name: Traffic(*amounts) for name, amounts in users.items()},
    )
    return replace(blank, **more)  # type: ignore[arg-type]


@dataclass
class Server:
    """A host as a test needs it: a run that counts, a disk that keeps readings."""

    name: str
    clock: Clock
    run: str = "r1"
    since: datetime = NOON
    kept: tuple[Reading, ...] = ()
    stopped: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.since = self.clock.now
        self.counters: dict[str, tuple[int, int]] = {}

    def use(self, user: str, up: int, down: int) -> None:
        """Move payload through the core."""
        old = self.counters.get(user, (0, 0))
        self.counters[user] = old[0] + up, old[1] + down

    def read(self) -> Reading:
        """Return what the core says now."""
        return reading(
            self.name, self.run, self.counters, self.clock.now, counting_since=self.since
        )

    def keep(self) -> None:
        """Write a reading to the disk, as the timer does once a minute."""
        now = replace(self.read(), way="disk")
        self.kept = (*(r for r in self.kept if r.run != self.run), now)

    def begin(self) -> None:
        """Write to the disk that the run begins, as the unit does."""
        nothing = reading(self.name, self.run, {}, self.since, counting_since=self.since)
        self.kept = (*self.kept, replace(nothing, way="disk"))

    def stop(self) -> None:
        """Stop the core as planned: the hook writes a last reading."""
        self.keep()
        self.stopped |= {self.run}

    def start(self, run: str) -> None:
        """Start the core anew, at 0."""
        self.run, self.since, self.counters = run, self.clock.now, {}

    def visit(self, *, alive: bool = True, listed: bool = False) -> Observation:
        """Return what a visit learns."""
        now = self.read() if alive else None
        kept, stopped = self.kept, self.stopped
        return Observation(host=self.name, now=now, on_disk=kept, stopped=stopped, listed=listed)
