"""The compared tools, with the settings that their documentation advises for speed."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.fleet import SimulatedFleet
from bench.servers import PRINTED, openssh_version
from bench.tools import BIN, ensure_ansible

ASK = f"cat {PRINTED}"
TIMEOUT = 120


@dataclass(frozen=True, slots=True)
class Contestant:
    """A tool, and its command to ask every host of a fleet."""

    name: str
    words: Callable[[SimulatedFleet], list[str]]
    most_hosts: int
    """The largest fleet for this tool. Larger ones take too long."""
    most_runs: Callable[[int], int] = lambda _: 99
    """The most runs, by the number of hosts."""


def ours(timeout: float = TIMEOUT) -> Contestant:
    """Return ``ops traffic``, measured from its start to the printed sums."""
    words = [str(BIN / "ops"), "traffic", "--all-hosts", "--json", "--timeout", str(timeout)]
    return Contestant("ops traffic", lambda _: words, most_hosts=100_000)


def parallel_ssh() -> Contestant:
    """Return OpenSSH's client, 32 of them in parallel."""

    def words(fleet: SimulatedFleet) -> list[str]:
        return [
            "xargs",
            "-a",
            "addresses",
            "-P",
            "32",
            "-I{}",
            "ssh",
            "-F",
            "ssh_config",
            "{}",
            ASK,
        ]

    return Contestant(f"xargs -P 32 ssh ({openssh_version()})", words, most_hosts=1000)


def pyinfra() -> Contestant:
    """Return ``pyinfra exec``, which asks all hosts in parallel."""
    words = [str(BIN / "pyinfra"), "-y", "pyinfra_hosts.py", "exec", "--", ASK]
    return Contestant("pyinfra exec", lambda _: words, most_hosts=300)


def ansible(state: Path) -> Contestant:
    """Return ``ansible -m shell`` with its default of 5 forks."""
    return _ansible(state, "ansible -m shell", {}, most_hosts=100, most_runs=lambda _: 3)


def tuned_ansible(state: Path) -> Contestant:
    """Return the same with the settings that its documentation advises for speed."""
    settings = {"ANSIBLE_PIPELINING": "True", "ANSIBLE_FORKS": "25"}
    name = "ansible -m shell, 25 forks, pipelined"
    return _ansible(state, name, settings, 300, lambda hosts: 1 if hosts > 100 else 3)


def _ansible(
    state: Path,
    name: str,
    settings: dict[str, str],
    most_hosts: int,
    most_runs: Callable[[int], int],
) -> Contestant:
    words = [f"{key}={value}" for key, value in settings.items()]
    words += [str(ensure_ansible(state)), "all", "-i", "ansible_hosts", "-m", "shell", "-a", ASK]
    return Contestant(name, lambda _: ["env", *words], most_hosts, most_runs)


def environment(fleet: SimulatedFleet) -> dict[str, str]:
    """Return the environment of all tools, with an empty home folder."""
    home = fleet.folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LOGNAME": "root",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "ANSIBLE_CONFIG": str(fleet.folder / "ansible.cfg"),
    }
