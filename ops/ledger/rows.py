"""Turn sightings into rows: what is above the highest seen is usage."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ops.ledger.bulk import Row, add_to, raise_to
from ops.ledger.calendar import day_of, five_of, hour_of, month_of
from ops.ledger.names import Lives
from ops.ledger.records import HostRow
from ops.ledger.runs import Highs
from ops.ledger.schema import baselines, counters, days, fives, hours, months
from ops.ledger.sightings import Sighting
from ops.model import Traffic
from ops.model.key import key_of

Pair = tuple[int, int, int]
"""Bucket, key, host."""


@dataclass
class Rows:
    """The rows that a transaction will write.

    *rolled*: where hours, days and months end; what is booked before it is added to them, too.
    """

    zone: ZoneInfo
    rolled: int
    fives_from: int
    hours_from: int
    marked: int
    """The moment of the newest mark: what was read before it is the marks' business, too."""
    highs: Highs = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    lives: Lives = field(init=False)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    late: list[tuple[int, int, int, int]] = field(default_factory=list)
    """What was read before a mark: key, moment, up, down."""
    _counters: list[Row] = field(default_factory=list)
    _baselines: list[Row] = field(default_factory=list)
    _buckets: dict[Pair, list[int]] = field(default_factory=dict)

    def gap(self, host: HostRow, kind: str, since: int, until: int) -> None:
        """Note that from *since* to *until* nobody can say when, or what."""
        if until > since:
            gap = {"host_id": host.id, "kind": kind, "since": since, "until": until}
            self.gaps.append(gap)

    def take(self, sighting: Sighting) -> tuple[Traffic, list[str]]:
        """Take in one run; return what it adds to usage, and users whose counters fell."""
        run = sighting.run
        if run.settled:
            return Traffic(), []
        old = self.highs.get(run.id, {})
        up, down = 0, 0
        for name, used in sighting.users.items():
            if key_of(name):  # the user whom nobody is has no key, and its traffic goes nowhere
                added = self._raise(sighting, name, used, old.get(self.users[name], (0, 0)))
                up, down = up + added[0], down + added[1]
        fallen = self._fallen(sighting, old)
        if fallen and run.reset is None:
            run.reset = sighting.at
        return Traffic(up, down), fallen

    def _raise(
        self, sighting: Sighting, name: str, used: Traffic, old: tuple[int, int]
    ) -> tuple[int, int]:
        up, down = max(0, used.uplink - old[0]), max(0, used.downlink - old[1])
        if not (up or down):
            return 0, 0
        run, user = sighting.run, self.users[name]
        self._counters.append((run.id, user, old[0] + up, old[1] + down))
        if not sighting.counted:
            self._baselines.append((run.id, user, up, down))
            return 0, 0
        key = self.lives.at(name, sighting.at)
        place = (five_of(sighting.at), key, run.host_id)
        amounts = self._buckets.setdefault(place, [0, 0])
        amounts[0] += up
        amounts[1] += down
        if sighting.at <= self.marked:
            self.late.append((key, sighting.at, up, down))
        return up, down

    def _fallen(self, sighting: Sighting, old: dict[int, tuple[int, int]]) -> list[str]:
        """Return the users that an answer later than the last one shows below what they had."""
        reading, run = sighting.live, sighting.run
        if reading is None or not old or sighting.at <= run.read:
            return []
        names = {self.users[name]: name for name in reading.users if key_of(name)}
        fallen = []
        for user, (up, down) in old.items():
            now = reading.users[names[user]] if user in names else Traffic()
            if now.uplink < up or now.downlink < down:
                fallen.append(names.get(user, ""))
        return sorted(fallen)

    def write(self, tx: Connection) -> None:
        """Write all rows."""
        raise_to(tx, counters, self._counters)
        add_to(tx, baselines, self._baselines)
        kept = self._buckets.items()
        add_to(tx, fives, [(*p, *amounts) for p, amounts in kept if p[0] >= self.fives_from])
        late = {place: n for place, n in kept if place[0] < self.rolled}
        if late:
            finest = {place: n for place, n in late.items() if place[0] >= self.hours_from}
            add_to(tx, hours, _regrouped(finest, hour_of))
            add_to(tx, days, _regrouped(late, self._day))
            add_to(tx, months, _regrouped(late, self._month))

    def _day(self, second: int) -> int:
        return day_of(second, self.zone)

    def _month(self, second: int) -> int:
        return month_of(second, self.zone)


def _regrouped(buckets: dict[Pair, list[int]], bucket: Callable[[int], int]) -> list[Row]:
    sums: dict[Pair, list[int]] = {}
    for (second, key, host), (up, down) in buckets.items():
        amounts = sums.setdefault((bucket(second), key, host), [0, 0])
        amounts[0] += up
        amounts[1] += down
    return [(*place, *amounts) for place, amounts in sums.items()]
