"""A server: what its core counts, what its disk keeps, and how it can fail.

The bytes that move here are the truth. The core's counters die with its run.
"""

from dataclasses import dataclass, field

from ops.model.key import key_of
from tests.simulation.clock import Time
from tests.simulation.disk import Disk, File

MINUTE = 60_000
OURS = "fleet-of-the-simulation"
"""The identity of the fleet."""


@dataclass(slots=True, eq=False)
class Move:
    """Bytes that one user moved at one moment: the truth is made of these."""

    machine: "Machine"
    run: "Run"
    user: str
    at: int
    up: int
    down: int
    lost: int | None = None
    """When neither the core's memory nor the disk held them any more."""

    wiped: bool = False
    """Whether it is in doubt because somebody reset the counters of its run."""

    @property
    def key(self) -> str:
        return key_of(self.user)


@dataclass(eq=False)
class Run:
    """One life of the core's process."""

    identity: str
    began: int
    since: int
    """When it began, by the clock of its host."""
    ours: bool
    """Whether a rollout of this fleet began it."""
    moves: list[Move] = field(default_factory=list)
    counters: dict[str, tuple[int, int]] = field(default_factory=dict)
    ended: int | None = None
    reset: bool = False
    """Whether somebody reset its counters."""

    def saved(self, disk: Disk) -> int:
        """Return how many of its moves the disk holds."""
        return max((f.holds for f in disk.of(self.identity) if not f.damaged), default=0)


@dataclass(eq=False)
class Machine:
    """A server. *identity* is that of its system, and so of this machine alone."""

    identity: str
    time: Time
    ahead: int = 0
    """How far its clock is ahead of the true time."""
    alive: bool = True
    net: bool = True
    heard: bool = True
    """Whether the collector gets through to the core's API."""
    hung: bool = False
    """Whether the core answers nobody, not even the jobs of its own host."""
    readable: bool = True
    """Whether its disk can be read."""
    installed: bool = False
    fleet: str = ""
    """The fleet whose rollout began the runs here; empty if no rollout said so."""
    before: list[str] = field(default_factory=list)
    """The runs that were there before the first rollout of that fleet."""
    disk: Disk = field(default_factory=Disk)
    run: Run | None = None
    runs: list[Run] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    """The users in the core."""
    lingering: set[str] = field(default_factory=set)
    """Users who were removed, and whose connections stay."""
    boots: int = 1
    booted: int = 0
    """When the running system began: no clock that can be set has a part in it."""
    _ticked: int = 0

    def __post_init__(self) -> None:
        self.booted = self.time.now

    @property
    def clock(self) -> int:
        """Return what its own clock shows."""
        return self.time.now + self.ahead

    def boot(self) -> None:
        """Begin the running system anew."""
        self.boots, self.booted = self.boots + 1, self.time.now

    def start(self) -> None:
        """Begin a run, as the unit does: first the disk says so, then the core counts."""
        if self.run or not (self.installed and self.alive):
            return
        identity = f"{self.identity}n{len(self.runs)}"
        ours = self.fleet == OURS
        run = Run(identity, self.time.now, self.clock, ours)
        self.run, self._ticked = run, self.time.now
        self.runs.append(run)
        self._prune(self.clock)
        self._keep("begun")
        self.lingering.clear()

    def move(self, user: str, up: int, down: int) -> Move | None:
        """Move payload; nothing moves where no core runs, or where it does not know the user."""
        run = self.run
        if run is None or user not in self.users | self.lingering:
            return None
        self.tick()
        move = Move(self, run, user, self.time.now, up, down, wiped=run.reset)
        run.moves.append(move)
        before = run.counters.get(user, (0, 0))
        run.counters[user] = before[0] + up, before[1] + down
        return move

    def tick(self) -> None:
        """Do what the job of each minute did since it was last asked: only the newest counts."""
        run = self.run
        if run is None or self.hung:
            self._ticked = self.time.now  # the minutes of a core that hangs have no reading
            return
        last = self.time.now - self.time.now % MINUTE
        if last > max(self._ticked, run.began):
            self._ticked = last
            self._keep("minute", last)
            self.disk.remove(run.identity, "begun")
            self._prune(last + self.ahead)

    def stop(self) -> None:
        """Stop the core as planned: the hook writes a last reading. What follows it is lost."""
        if self.run:
            self.tick()
            if not self.hung:
                self._keep("last")
                self.disk.remove(self.run.identity, "begun")

    def end(self) -> None:
        """End the run, however that came about."""
        if self.run:
            self.tick()
            self._lose(self.run.saved(self.disk))
            self.run.ended, self.run = self.time.now, None

    def reset(self) -> None:
        """Somebody sets all counters to 0."""
        if self.run:
            self.tick()
            self._lose(0)
            self.run.counters.clear()
            self.run.reset = True
            for move in self.run.moves:
                move.wiped = True

    def wipe(self) -> None:
        """The machine is gone for good, with its disk."""
        self.end()
        for run in self.runs:
            for move in run.moves:
                move.lost = move.lost or self.time.now
        self.alive = self.net = False

    def _prune(self, now: int) -> None:
        """Remove readings of runs that ended long ago."""
        assert self.run
        pruned = self.disk.prune(now, self.run.identity)
        for run in self.runs if pruned else ():
            if run.identity in pruned and not self.disk.of(run.identity):
                for move in run.moves:
                    move.lost = move.lost or pruned[run.identity]

    def _lose(self, saved: int) -> None:
        assert self.run
        for move in self.run.moves[saved:]:
            move.lost = move.lost or self.time.now

    def _keep(self, kind: str, at: int | None = None) -> None:
        assert self.run
        run = self.run
        file = File(
            run=run.identity,
            kind=kind,
            read_at=(at or self.time.now) + self.ahead,
            moment=at or self.time.now,
            since=run.since,
            counters=dict(run.counters),
            holds=len(run.moves),
        )
        self.disk.write(file)
