"""The simulated hosts: one sshd for every address of the loopback, and one StatsService."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.counters import counters
from bench.enclosure import SSHD
from bench.fleet import SILENT_PORT, SSH_PORT, SimulatedFleet
from lab.cgroup import Cgroup
from lab.command import program, run
from lab.waiting import wait_until
from ops.model.layout import SOCKET

PRINTED = "/run/xray/printed.json"
"""A stored output of ``xray api statsquery``, for the peers to fetch."""
CONFIG = """
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/id.pub
StrictModes no
UsePAM no
UseDNS no
PidFile none
PrintMotd no
PrintLastLog no
LogLevel ERROR
# One sshd replaces a thousand, so many logins come at the same time.
MaxStartups 4000
"""


class Servers:
    """The processes of the simulated hosts, in their own control group."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sshd = Cgroup(f"bench-{os.getpid()}/sshd")
        self._stats = Cgroup(f"bench-{os.getpid()}/stats")
        for name in ("host_key", "id"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name)

    @property
    def private_key(self) -> Path:
        """Return the private ssh key for all hosts."""
        return self._folder / "id"

    @property
    def host_key(self) -> str:
        """Return the public ssh host key of all hosts."""
        return (self._folder / "host_key.pub").read_text().strip()

    def fleet(self, root: Path, hosts: int, users: int, port: int = SSH_PORT) -> SimulatedFleet:
        """Write a fleet of simulated hosts to a folder in *root*, and return it."""
        fleet = SimulatedFleet(
            folder=root / f"{hosts}-{users}-{port}",
            hosts=hosts,
            users=users,
            private_key=self.private_key,
            host_key=self.host_key,
            port=port,
        )
        fleet.write()
        return fleet

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU seconds that the simulated hosts have used."""
        return cpu_seconds(self._sshd) + cpu_seconds(self._stats)

    def start_sshd(self) -> None:
        """Start sshd, and wait until it listens."""
        config = self._folder / "sshd_config"
        config.write_text(CONFIG.format(port=SSH_PORT, folder=self._folder))
        # -r: no new sshd program for each connection, which saves a third of the CPU.
        words = (SSHD, "-D", "-e", "-r", "-f", config)
        self._sshd.spawn(*words, log=self._folder / "sshd.log")
        wait_until(lambda: _accepts(("127.1.0.1", SSH_PORT)), "sshd listens")

    def answer_with(self, users: int) -> None:
        """Let every host, and the stored output, have this many *users* from now on."""
        self._stats.kill()
        Path(SOCKET).unlink(missing_ok=True)
        words = program("bench.stats_service", str(users), SOCKET)
        self._stats.spawn(*words, log=self._folder / "stats.log")
        stats = [{"name": name, "value": value} for name, value in counters(users).items()]
        Path(PRINTED).write_text(json.dumps({"stat": stats}, indent=4))
        wait_until(lambda: _accepts(SOCKET), "the StatsService listens")

    def stop(self) -> None:
        """End all processes."""
        Cgroup(f"bench-{os.getpid()}").remove()


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Run the simulated hosts until the end of the `with` block."""
    other_side = Servers(folder)
    try:
        other_side.start_sshd()
        with closing(socket.create_server(("", SILENT_PORT), backlog=4096)):
            yield other_side
    finally:
        other_side.stop()


def cpu_seconds(group: Cgroup) -> float:
    """Return the CPU seconds of the processes of *group*, ended ones included."""
    lines = (group.path / "cpu.stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("usage_usec")) / 1e6


def _accepts(place: tuple[str, int] | str) -> bool:
    family = socket.AF_UNIX if isinstance(place, str) else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        try:
            probe.connect(place)
        except OSError:
            return False
    return True


def openssh_version() -> str:
    """Return the version of ssh on this machine."""
    done = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True)
    return done.stderr.split(",")[0]
