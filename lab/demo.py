"""``make demo``: the example fleet on real servers, with the commands that an operator types."""

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import record
from lab.core import ensure_core
from lab.errors import LabError
from lab.lab import Lab
from lab.traffic import Moved

HERE = Path.cwd()
PROGRAMS = Path(sys.executable).parent
LOGIN_KEY = HERE / "build" / "demo" / "id_ed25519"
"""Where the example inventory says that the ssh key lies."""


@dataclass(frozen=True)
class Visit:
    """What one key does through one inbound of one host: odd sizes, several connections."""

    key: str
    host: str
    inbound: str
    up: int
    down: int
    connections: int = 1


VISITS = (
    Visit("alice", "lab1", "reality", up=1_000_003, down=20_000_003, connections=3),
    Visit("alice", "lab2", "xhttp", up=300_007, down=5_000_011),
    Visit("bob", "lab1", "trojan", up=70_001, down=9_000_041, connections=2),
    Visit("bob", "lab2", "ss", up=2_000_081, down=1_000_033),
    Visit("carol", "lab3", "ws", up=500_009, down=3_000_017),
    Visit("carol", "lab3", "reality", up=40_009, down=7_000_003, connections=5),
)


def main() -> None:
    """Run the demo from the checkout's folder."""
    began = time.monotonic()
    try:
        lab = bring_up()
        prepare(lab)
        step("Rolling the example fleet out")
        run("pyinfra", "inventory", "deploy.py", "-y")
        step("Sending real traffic through real clients")
        before = counted()
        sent = {visit: visited(lab, visit) for visit in VISITS}
        step("Reading it back")
        run("ops", "traffic", "--all-hosts")
        compare(sent, before, counted())
    except (LabError, subprocess.CalledProcessError) as error:
        sys.exit(f"\nThe demo stopped: {told(error)}\nIt can be run again: make demo")
    step(f"Done in {time.monotonic() - began:.0f} s; three servers are left running")
    print("  look around:  .venv/bin/ops --help    .venv/bin/python -m lab ssh lab1")
    print("  end them:     make down")


def bring_up() -> Lab:
    """Boot the demo's lab; one that this fleet's secrets do not fit is ended first."""
    left = record.read(record.DEFAULT)
    if left and not (left.ours and (HERE / "inventory" / "secrets.toml").exists()):
        step(f"Ending the demo that {left.owner} left running")
        Lab.find().down()
    step("Booting three Debian servers with systemd and sshd on this machine")
    return Lab.up(count=3, say=lambda line: print(f"  {line}"))


def prepare(lab: Lab) -> None:
    """Do what an operator does once: the ssh key, the core, first contact, secrets."""
    LOGIN_KEY.parent.mkdir(parents=True, exist_ok=True)
    LOGIN_KEY.unlink(missing_ok=True)
    shutil.copyfile(lab.private_key, LOGIN_KEY)
    LOGIN_KEY.chmod(0o600)
    step("Making first contact, and the secrets that are missing")
    run("ops", "core", "fetch", "--archive", str(ensure_core().archive))
    for host in lab.hosts:
        run("ops", "hosts", "trust", host.name, "--fingerprint", host.fingerprint, "--replace")
    run("ops", "secrets", "fill")


def visited(lab: Lab, visit: Visit) -> Moved:
    """Send the traffic of *visit* through a real client; return what both ends counted."""
    place = (
        "--host",
        visit.host,
        "--inbound",
        visit.inbound,
        "--address",
        lab.host(visit.host).address,
    )
    config = output("ops", "link", visit.key, *place, "--client-json")
    print(f"  {visit.key} through {visit.host}/{visit.inbound}", flush=True)
    with lab.client(config) as client:
        return client.send(up=visit.up, down=visit.down, connections=visit.connections)


def counted() -> dict[str, Any]:
    """Return the bytes that the cores have counted for each key."""
    rows = json.loads(output("ops", "traffic", "--json"))["traffic"]
    return {row["key"]: row["traffic_bytes"] for row in rows}


def compare(sent: dict[Visit, Moved], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Print what was sent in this run beside what was counted in it."""
    print(f"\n{'this run':8}  {'':8}{'sent':>12}{'counted':>12}  difference")
    for key in sorted({visit.key for visit in sent}):
        moved = sum((moved for visit, moved in sent.items() if visit.key == key), Moved())
        for way, count in (("uplink", moved.up), ("downlink", moved.down)):
            seen = after[key][f"{way}_bytes"] - before[key][f"{way}_bytes"]
            print(f"{key:8}  {way:8}{count:>12}{seen:>12}  {(seen - count) / count:+.4%}")


def step(title: str) -> None:
    """Announce a part of the demo."""
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)


def run(*command: str) -> None:
    """Show *command* as people type it, and run it."""
    print(f"$ {shlex.join(command)}", flush=True)
    subprocess.run([PROGRAMS / command[0], *command[1:]], check=True)


def output(*command: str) -> str:
    """Return what *command* prints."""
    return subprocess.run(
        [PROGRAMS / command[0], *command[1:]], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def told(error: Exception) -> str:
    """Return the sentence that *error* deserves."""
    if isinstance(error, subprocess.CalledProcessError):
        words: Sequence[str] = [Path(error.cmd[0]).name, *map(str, error.cmd[1:])]
        return f"`{shlex.join(words)}` failed (see above)"
    return str(error)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nThe demo was interrupted. It can be run again: make demo; or ended: make down")
