"""Turn sightings into entries: bytes above the highest value seen so far are usage."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ops.ledger.answers.calendar import day_of, five_of, hour_of, month_of
from ops.ledger.booking.runs import Highs
from ops.ledger.booking.sightings import HELD_UP, LARGEST, Sighting
from ops.ledger.database.bulk import Row, add_to, raise_to
from ops.ledger.database.ids import Lives
from ops.ledger.database.rows import HostRow
from ops.ledger.database.schema import (
    baselines,
    counters,
    days,
    fives,
    hours,
    late,
    months,
    waiting,
)
from ops.model import Traffic
from ops.model.key import key_of

Pair = tuple[int, int, int]
"""Bucket, key, host."""
Bytes = tuple[int, int]
"""Up and down."""

SHARP = 5 * 60_000
"""Milliseconds: bytes of two readings within this time belong to the moment of the later one."""
MOST = LARGEST
"""Most bytes of one host, ever. A host with more attacks the sums, which must fit 63 bits."""


class TooMuchError(Exception):
    """A host claims more bytes than any host can move."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A user with counters above the highest values under this host name."""

    name: str
    user: int
    new: Bytes
    """The highest value now."""
    added: Bytes
    """The bytes that are new to the ledger."""
    rest: Bytes
    """The bytes of the same run that were read under another host name already."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The effect of one run's readings."""

    added: Traffic = field(default_factory=Traffic)
    """The bytes added to usage."""
    moved: set[str] = field(default_factory=set)
    """The keys with added bytes."""
    fallen: list[str] = field(default_factory=list)
    """Users with counters that fell."""


@dataclass
class Entries:
    """The rows that a transaction will write.

    *rolled*: the second until which buckets are rolled up. Bytes before it are also added to hours,
    days and months.
    """

    zone: ZoneInfo
    rolled: int
    fives_from: int
    hours_from: int
    marked: int
    """The moment of the newest mark; bytes that were read before it also change marks."""
    highs: Highs = field(default_factory=dict)
    above: Highs = field(default_factory=dict)
    """By run and user: the highest values under other host names of the same machine."""
    users: dict[str, int] = field(default_factory=dict)
    lives: Lives = field(init=False)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    before_marks: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Bytes that were read before a mark: key, moment, up, down."""
    _counters: list[Row] = field(default_factory=list)
    _baselines: list[Row] = field(default_factory=list)
    _waiting: list[Row] = field(default_factory=list)
    _buckets: dict[Pair, list[int]] = field(default_factory=dict)
    _late: dict[tuple[int, ...], list[int]] = field(default_factory=dict)

    def gap(self, host: HostRow, kind: str, since: int, until: int) -> None:
        """Add a gap: figures of *host* between *since* and *until* may lack bytes."""
        if until > since:
            gap = {"host_id": host.id, "kind": kind, "since": since, "until": until}
            self.gaps.append(gap)

    def take(self, sighting: Sighting, host: HostRow) -> Taken:
        """Add the new bytes of one run. Bytes that wait for a decision go to the run's baselines.

        TooMuchError if the host claims too many bytes; then nothing was added.
        """
        run = sighting.run
        if run.settled:
            return Taken()
        changes = list(self._changes(sighting))
        new = Traffic(sum(c.added[0] for c in changes), sum(c.added[1] for c in changes))
        if host.total + new.total > MOST:
            raise TooMuchError
        host.total += new.total
        for change in changes:
            self._raise(sighting, change, host)
        fallen = self._fallen(sighting)
        if fallen and run.reset is None:
            run.reset = sighting.since  # bytes that moved between that and the reset are lost
        if not sighting.counted:
            run.waits = sighting.at if run.doubt and sighting.used else None
            return Taken(fallen=fallen)
        moved = {key_of(change.name) for change in changes if any(change.added)}
        return Taken(new, moved, fallen)

    def count(self, name: str, host: HostRow, since: int, at: int, used: Bytes) -> None:
        """Add to usage the bytes that *name* moved on *host* between *since* and *at*."""
        key = self.lives.at(name, at)
        _add(self._buckets, (five_of(at), key, host.id), used)
        if at - since > SHARP:
            _add(self._late, (host.id, key, since, at), used)
        if at <= self.marked:
            self.before_marks.append((key, at, *used))

    def _changes(self, sighting: Sighting) -> Iterator[_Change]:
        own = self.highs.get(sighting.run.id, {})
        above = self.above.get(sighting.run.id, {})
        for name, used in sighting.users.items():
            if not key_of(name):
                continue  # the user called nobody has no key, and its traffic goes nowhere
            user = self.users[name]
            up, down = own.get(user, (0, 0))
            if used.uplink > up or used.downlink > down:
                new = max(up, used.uplink), max(down, used.downlink)
                seen = above.get(user, (0, 0))
                added = max(0, new[0] - max(up, seen[0])), max(0, new[1] - max(down, seen[1]))
                rest = new[0] - up - added[0], new[1] - down - added[1]
                yield _Change(name, user, new, added, rest)

    def _raise(self, sighting: Sighting, change: _Change, host: HostRow) -> None:
        run, (up, down), rest = sighting.run, change.added, change.rest
        self._counters.append((run.id, change.user, *change.new))
        if not sighting.counted:
            rest = rest[0] + up, rest[1] + down
            if run.doubt:
                self._waiting.append((run.id, change.user, up, down))
        elif up or down:
            # A later reading was booked first, and somebody reset the counters in between.
            since = run.since if sighting.read < run.read else sighting.since
            self.count(change.name, host, since, sighting.at, change.added)
        if any(rest):
            self._baselines.append((run.id, change.user, *rest))

    def _fallen(self, sighting: Sighting) -> list[str]:
        """Return the users with counters that fell, if this reading is the newest of its run."""
        run, shown = sighting.run, sighting.live.users if sighting.live else sighting.users
        old = highest([self.highs.get(run.id, {}), self.above.get(run.id, {})])
        behind = sighting.since - sighting.read
        if not old or 0 <= behind <= HELD_UP:  # an old answer; further behind: a clock set back
            return []
        names = {self.users[name]: name for name in shown if key_of(name)}
        fallen = []
        for user, (up, down) in old.items():
            now = shown[names[user]] if user in names else Traffic()
            if now.uplink < up or now.downlink < down:
                fallen.append(names.get(user, ""))
        return sorted(fallen)

    @property
    def counted(self) -> set[tuple[int, int]]:
        """Return (key, host) of all added usage."""
        return {(key, host) for _, key, host in self._buckets}

    def write(self, tx: Connection) -> None:
        """Write all rows."""
        raise_to(tx, counters, self._counters)
        add_to(tx, baselines, self._baselines)
        add_to(tx, waiting, self._waiting)
        self.write_usage(tx)

    def write_usage(self, tx: Connection) -> None:
        """Write the usage: buckets and late bytes."""
        kept = self._buckets.items()
        add_to(tx, fives, [(*p, *amounts) for p, amounts in kept if p[0] >= self.fives_from])
        add_to(tx, late, [(*place, *amounts) for place, amounts in self._late.items()])
        past = {place: n for place, n in kept if place[0] < self.rolled}
        if past:
            finest = {place: n for place, n in past.items() if place[0] >= self.hours_from}
            add_to(tx, hours, _regrouped(finest, hour_of))
            add_to(tx, days, _regrouped(past, self._day))
            add_to(tx, months, _regrouped(past, self._month))

    def _day(self, second: int) -> int:
        return day_of(second, self.zone)

    def _month(self, second: int) -> int:
        return month_of(second, self.zone)


def highest(values: Sequence[dict[int, Bytes]]) -> dict[int, Bytes]:
    """Return by user the highest uplink and the highest downlink of all *values*."""
    if sum(map(bool, values)) == 1:
        return next(filter(None, values))
    found: dict[int, Bytes] = {}
    for value in values:
        for user, (up, down) in value.items():
            old = found.get(user, (0, 0))
            found[user] = max(old[0], up), max(old[1], down)
    return found


def _add(sums: dict[Any, list[int]], place: tuple[int, ...], used: Bytes) -> None:
    amounts = sums.setdefault(place, [0, 0])
    amounts[0] += used[0]
    amounts[1] += used[1]


def _regrouped(buckets: dict[Pair, list[int]], bucket: Callable[[int], int]) -> list[Row]:
    sums: dict[Pair, list[int]] = {}
    for (second, key, host), (up, down) in buckets.items():
        _add(sums, (bucket(second), key, host), (up, down))
    return [(*place, *amounts) for place, amounts in sums.items()]
