"""The truth: which bytes a figure must hold if it is exact, and which it may hold at most.

The definition is in docs/accounting.md, "What a figure promises". In short, for one ledger:

* A byte *must* be in an exact figure if it moved while the ledger knew the host by its name and
  the inventory named it, until the last booked reading of that host. A host that has left the
  inventory has no later reading to wait for, so all that moved until then must be there. Bytes from
  before the ledger knew the host must be there if a rollout of this fleet began their run, and the
  host still had them.
* A byte *may* be in any figure of a name that its machine bore at the time or later. Bytes from
  before the ledger knew the machine may be there only if this fleet began their run, or if somebody
  decided to count them.
* A byte belongs to the moment of its reading, and readings are at most five minutes apart, or the
  edges of a span are not sharp and the figure is not exact.

A machine under two names has each byte once in a total, so bytes are chosen before they are added.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tests.simulation.machine import Move
from tests.simulation.told import Told
from tests.simulation.world import Bearing, World

SHARP = 5 * 60_000
"""Milliseconds by which the edges of a span are sharp."""
EVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Scope:
    """What a figure is of; None is all."""

    hosts: Collection[str] | None
    keys: Collection[str] | None
    since: int
    until: int
    whole: bool
    """Whether it is a whole life: all moments are in it, whatever clocks say."""
    by_key: bool
    """Whether only hosts matter that its keys could open, as far as the ledger was told."""


@dataclass(slots=True)
class Due:
    """A move, and what one ledger owes to it."""

    move: Move
    must: tuple[str, ...]
    """The names under which it is promised."""
    may: frozenset[str]


class Truth:
    """What is true for one ledger at one moment."""

    def __init__(self, world: World, told: Told) -> None:
        self.told = told
        self._now = world.time.now
        self._named = set(world.inventory.hosts)
        self._bearings = world.bearings
        by_machine: dict[str, list[Bearing]] = {}
        for bearing in world.bearings:
            by_machine.setdefault(bearing.machine.identity, []).append(bearing)
        self._dues = [
            Due(move, tuple(self._must(move, borne)), frozenset(self._may(move, borne)))
            for move in world.moves
            if (borne := by_machine.get(move.machine.identity))
        ]

    def least(self, scope: Scope, ends: Mapping[str, int]) -> tuple[int, int]:
        """Return the bytes, up and down, that an exact figure must hold. *ends*: see `end`."""
        return _sum(due.move for due in self._dues if self._is_due(due, scope, ends))

    def most(self, scope: Scope) -> tuple[int, int]:
        """Return the bytes that any figure may hold."""
        return _sum(
            due.move
            for due in self._dues
            if _concerns(due.move, due.may, scope)
            and (scope.whole or scope.since - SHARP <= due.move.at < scope.until)
        )

    def end(self, host: str, read: int | None) -> int:
        """Return until when bytes of *host*, last *read* then, must be in a figure.

        A host that has left has no later reading to wait for; one that was finished, and left
        before a round told otherwise, has nothing after that look.
        """
        if host in self.told.named and not self.told.names(host):
            return self.told.finished.get(host, EVER)
        return -1 if read is None else read

    def _is_due(self, due: Due, scope: Scope, ends: Mapping[str, int]) -> bool:
        move = due.move
        names = [name for name in due.must if self._opens(move, name, scope)]
        if not _concerns(move, names, scope):
            return False
        if move.wiped and not self._noticed(move, scope):
            return False
        end = max(ends.get(n, -1) for n in names if scope.hosts is None or n in scope.hosts)
        if move.at >= end or (not scope.whole and move.at < scope.since):
            return False
        return scope.whole or move.at < scope.until - SHARP or scope.until > min(end, self._now)

    def _noticed(self, move: Move, scope: Scope) -> bool:
        """Say whether the ledger could see in time that somebody reset the counters.

        Counters that passed the highest value that it knew look like any others.
        """
        seen = self.told.resets.get(move.run.identity)
        return seen is not None and (scope.whole or scope.until > seen)

    def _opens(self, move: Move, name: str, scope: Scope) -> bool:
        if not scope.by_key:
            return True
        depends = self.told.depends(move.key)
        return depends is None or name in depends

    def _must(self, move: Move, borne: list[Bearing]) -> Iterator[str]:
        for bearing in borne:
            known = self.told.known.get(bearing.name)
            if known is None or not _during(bearing, move.at) or self._passed(bearing):
                continue
            if move.at < known:
                if move.run.ours and self._there(move, bearing, known):
                    yield bearing.name
            elif self._was_named(bearing.name, move.at):
                yield bearing.name

    def _passed(self, bearing: Bearing) -> bool:
        """Say whether the name stood for another machine only between two readings.

        No ledger can know it, if the name stood for one machine before and after, and no round
        told it of the other.
        """
        told, name = self.told, bearing.name
        moments = [*told.shown.get(name, ()), told.looked.get(name, 0), *told.rounds]
        if bearing.until is None or any(_during(bearing, moment) for moment in moments):
            return False
        all_ = [one for one in self._bearings if one.name == name]
        place = next(number for number, one in enumerate(all_) if one is bearing)
        around = [one.machine for one in all_[max(0, place - 1) : place + 2] if one is not bearing]
        return len(around) == 2 and around[0] is around[1]

    @staticmethod
    def _there(move: Move, bearing: Bearing, known: int) -> bool:
        """Say whether bytes from before the ledger knew the host can still be read from it."""
        if bearing.until is not None and bearing.until <= known:
            return False
        running = move.run.ended is None or move.run.ended >= known
        return move.lost is None or (running and move.lost >= known)

    def _may(self, move: Move, borne: list[Bearing]) -> Iterator[str]:
        known = self.told.known
        told = [one for one in borne if one.name in known]
        first = min((max(known[one.name], one.since) for one in told), default=EVER)
        for bearing in told:
            if bearing.until is not None and bearing.until <= move.at:
                continue
            if move.at >= first or move.run.ours or self._decided(bearing):
                yield bearing.name

    def _was_named(self, host: str, at: int) -> bool:
        return any(
            (since or 0) <= at and (until is None or at < until)
            for since, until in self.told.named.get(host, ())
        )

    def _decided(self, bearing: Bearing) -> bool:
        """Say whether somebody decided to count what is older than the ledger's knowledge."""
        shown = self.told.shown.get(bearing.name, [])
        return any(
            host == bearing.name
            and how == "count"
            and (at >= bearing.since or not any(moment < at for moment in shown))
            for host, at, how in self.told.decisions
        )


def _during(bearing: Bearing, at: int) -> bool:
    return bearing.since <= at and (bearing.until is None or at < bearing.until)


def _concerns(move: Move, names: Collection[str], scope: Scope) -> bool:
    if scope.keys is not None and move.key not in scope.keys:
        return False
    return bool(names) and (scope.hosts is None or any(name in scope.hosts for name in names))


def _sum(moves: Iterator[Move]) -> tuple[int, int]:
    up = down = 0
    for move in moves:
        up, down = up + move.up, down + move.down
    return up, down
