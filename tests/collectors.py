"""Hosts for tests of collecting: an ssh server, a StatsService, and a disk that keeps readings.

The commands that a visit runs are run by this machine's own sh, on a folder that stands in for
the readings of the host; its network cards are this machine's.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from ops.cli.printing.exit_codes import of_round
from ops.counting.collecting import Collected, Roster, collect
from ops.ledger import Adopt, Ledger, open_ledger
from ops.ledger.thread import LedgerThread, ledger_thread
from ops.model import Traffic
from ops.model.layout import READINGS, UNIT_FILE
from tests.ssh_server import SshServer, World, a_world, short_folder
from tests.stats_server import Stats, serving

EVER = datetime(2020, 1, 1, tzinfo=UTC)


def run_called(letter: str) -> str:
    """Return a run's identity."""
    return letter * 32


@dataclass
class Answering(Stats):
    """A core's statistics, and what happens between its answer and the collector."""

    answered: Callable[[], object] = lambda: None

    def QueryStats(self, request: Any, context: Any) -> Any:  # noqa: N802
        reply = super().QueryStats(request, context)
        self.answered()
        return reply


@dataclass
class Core:
    """A host: what its core has counted in this run, and what it kept of earlier ones."""

    world: World
    name: str
    readings: Path
    stats: Answering = field(default_factory=Answering)
    server: SshServer = field(init=False)
    run: str = run_called("a")
    used: dict[str, tuple[int, int]] = field(default_factory=dict)
    disk_fails: str = ""
    gone: bool = False
    ahead: int = 0
    """Seconds by which its clock is ahead of this machine's."""

    def __post_init__(self) -> None:
        self.readings.mkdir()
        self.server = self.world.server(
            api=self.world.runtime / self.name, answer=self._answer_command
        )
        self.world.host(self.server.port, self.name)
        self.counters()

    def use(self, key: str, up: int, down: int) -> None:
        """Move payload through it."""
        before = self.used.get(key, (0, 0))
        self.used[key] = before[0] + up, before[1] + down
        self.counters()

    def counters(self) -> Mapping[str, int]:
        """Have the API say what was used."""
        found = {
            "inbound>>>ss>>>traffic>>>uplink": 0,
            f"outbound>>>run-{self.run}>>>traffic>>>uplink": 0,
        }
        for key, (up, down) in self.used.items():
            found[f"user>>>{key}>>>traffic>>>uplink"] = up
            found[f"user>>>{key}>>>traffic>>>downlink"] = down
        self.stats.counters = found
        return found

    def keep(self, kind: str, **changes: Any) -> Path:
        """Write a reading to the disk, as the host does; return its file."""
        now = datetime.now(UTC)
        stats = [{"name": name, "value": value} for name, value in self.counters().items()]
        held = {
            "run": self.run,
            "kind": kind,
            "read_at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "counting_since": (now - timedelta(minutes=5)).isoformat(),
            "statsquery": {"stat": stats},
        }
        file = self.readings / f"{self.run}.{kind}.json"
        file.write_text(json.dumps(held | changes))
        return file

    def begin(self) -> None:
        """Write to the disk that the run begins."""
        now = datetime.now(UTC).isoformat()
        self.keep("begun", read_at=now, counting_since=now)

    def restart(self, run: str, *, planned: bool = True) -> None:
        """Begin another run at 0; a planned stop leaves a last reading."""
        if planned:
            self.keep("last")
        self.run, self.used = run, {}
        self.counters()

    def leave(self) -> None:
        """Take the core off: nothing answers, and nothing is installed."""
        self.gone = True
        self.stats.status = grpc.StatusCode.UNAVAILABLE

    def _answer_command(self, command: str) -> tuple[int, str, str]:
        if "statsquery" in command:
            return 1, "", "failed to dial"
        if self.disk_fails:
            return 1, "", self.disk_fails
        command = command.replace(READINGS, str(self.readings))
        unit = self.readings if not self.gone else self.readings / "no-unit"
        command = command.replace(UNIT_FILE, str(unit))
        command = command.replace("date +", f"date -d '{self.ahead} seconds' +")
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


@dataclass
class Fleet:
    """Some hosts, the folder of their fleet, and its ledger."""

    world: World
    opened: ExitStack
    keys: tuple[str, ...] = ("alice", "bob")
    absent: tuple[str, ...] = ()
    """Hosts that are to be without a core."""

    def core(self, name: str = "ams", **changes: Any) -> Core:
        """Return a new host whose API answers."""
        core = Core(self.world, name, self.world.folder / f"{name}-readings", **changes)
        self.opened.enter_context(serving(self.world.runtime / name, core.stats))
        return core

    def write(self) -> None:
        """Write the fleet's files."""
        hosts = "".join(
            f'[hosts.{h.name}]\nssh_hostname = "127.0.0.1"\nssh_port = {h.ssh.port}\n'
            f'state = "{"absent" if h.name in self.absent else "up"}"\n'
            for h in self.world.hosts
        )
        inventory = self.world.folder / "inventory"
        (inventory / "hosts.toml").write_text(
            '[core]\nversion = "26.10.10"\n[defaults]\ninbounds = ["ss"]\n'
            f'ssh_key = "{self.world.client_key}"\nssh_user = "root"\n'
            '[inbounds.ss]\nprotocol = "shadowsocks"\nmethod = "2022-blake3-aes-256-gcm"\n'
            f"port = 8388\n{hosts}"
        )
        (inventory / "keys.toml").write_text("".join(f"[keys.{key}]\n" for key in self.keys))

    def collect(self, **how: Any) -> Collected:
        """Make one round."""
        self.write()
        [outcome] = collect(*self._roster_and_ledger(), **{"deadline": 20.0} | how)
        return outcome

    def _roster_and_ledger(self) -> tuple[Roster, AbstractAsyncContextManager[LedgerThread]]:
        roster = Roster(self.world.folder)
        return roster, ledger_thread(roster.targets().fleet)

    def decide(self, how: Adopt) -> Traffic:
        """Decide about the counters that wait; return what it was about."""
        with self.ledger() as ledger:
            decided = ledger.decide([host.name for host in self.world.hosts], how)
        return sum(decided.applied.values(), Traffic())

    @contextmanager
    def rounds(self, **how: Any) -> Iterator[Iterator[Collected]]:
        """Yield rounds over lines that stay open, as fast as they are asked for."""
        self.write()
        rounds = collect(*self._roster_and_ledger(), **{"deadline": 20.0, "every": 0.001} | how)
        try:
            yield rounds
        finally:
            rounds.close()

    @property
    def ledger_file(self) -> Path:
        """Return where the ledger is."""
        return self.world.folder / "state" / "ledger.db"

    def ledger(self) -> Ledger:
        """Open the ledger beside the collector."""
        return open_ledger(self.ledger_file)

    def usage(self, key: str = "alice") -> Traffic:
        """Return what the ledger says that *key* used."""
        with self.ledger() as ledger:
            until = datetime.now(UTC) + timedelta(days=1)
            return ledger.usage(EVER, until, keys=[key]).total


@contextmanager
def a_fleet(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """Yield a fleet without hosts; at the end no collector has left a socket behind."""
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with short_folder() as runtime, a_world(folder) as world, ExitStack() as opened:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        world.runtime = runtime
        yield Fleet(world, opened)
        assert [path.name for path in runtime.glob("xray-ops/*")] in ([], ["lock"])


def known_host(fleet: Fleet) -> Core:
    """Return a host that the ledger knows, and that has counted nothing yet."""
    host = fleet.core()
    assert of_round(fleet.collect()) == 0
    host.server.commands.clear()
    return host
