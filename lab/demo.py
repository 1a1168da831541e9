"""``make demo``: run the example fleet on real servers, with the commands of an operator."""

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
"""The path of the ssh key in the example inventory."""


@dataclass(frozen=True)
class Transfer:
    """The traffic of one key through one inbound of one host, in payload bytes."""

    key: str
    host: str
    inbound: str
    up: int
    down: int
    connections: int = 1


TRANSFERS = (
    Transfer("alice", "lab1", "reality", up=1_000_003, down=20_000_003, connections=3),
    Transfer("alice", "lab2", "xhttp", up=300_007, down=5_000_011),
    Transfer("bob", "lab1", "trojan", up=70_001, down=9_000_041, connections=2),
    Transfer("bob", "lab2", "ss", up=2_000_081, down=1_000_033),
    Transfer("carol", "lab3", "ws", up=500_009, down=3_000_017),
    Transfer("carol", "lab3", "reality", up=40_009, down=7_000_003, connections=5),
)


def main() -> None:
    """Run the demo in the working folder, which is a checkout."""
    began = time.monotonic()
    try:
        lab = bring_up()
        prepare(lab)
        step("Rolling the example fleet out")
        run("pyinfra", "inventory", "deploy.py", "-y")
        step("Sending real traffic through real clients")
        before = counted()
        sent = {transfer: transferred(lab, transfer) for transfer in TRANSFERS}
        step("Reading it back")
        run("ops", "traffic", "--all-hosts")
        compare(sent, before, counted())
    except (LabError, subprocess.CalledProcessError) as error:
        sys.exit(f"\nThe demo stopped: {sentence(error)}\nIt can be run again: make demo")
    step(f"Done in {time.monotonic() - began:.0f} s; three servers still run")
    print("  look around:  .venv/bin/ops --help    .venv/bin/python -m lab ssh lab1")
    print("  end them:     make down")


def bring_up() -> Lab:
    """Boot the lab of the demo. End an old one first if the secrets of this fleet do not fit it."""
    left = record.read(record.DEFAULT)
    if left and not (left.ours and (HERE / "inventory" / "secrets.toml").exists()):
        step(f"Ending the running demo of {left.owner}")
        Lab.find().down()
    step("Booting three Debian servers with systemd and sshd on this machine")
    return Lab.up(count=3, say=lambda line: print(f"  {line}"))


def prepare(lab: Lab) -> None:
    """Prepare the fleet as an operator does once: ssh key, core, host keys, secrets."""
    LOGIN_KEY.parent.mkdir(parents=True, exist_ok=True)
    LOGIN_KEY.unlink(missing_ok=True)
    shutil.copyfile(lab.private_key, LOGIN_KEY)
    LOGIN_KEY.chmod(0o600)
    step("Trusting the host keys, and making the missing secrets")
    run("ops", "core", "fetch", "--archive", str(ensure_core().archive))
    for host in lab.hosts:
        run("ops", "hosts", "trust", host.name, "--fingerprint", host.fingerprint, "--replace")
    run("ops", "secrets", "fill")


def transferred(lab: Lab, transfer: Transfer) -> Moved:
    """Send the traffic of *transfer* through a real client, and return the bytes of both ends."""
    place = (
        "--host",
        transfer.host,
        "--inbound",
        transfer.inbound,
        "--address",
        lab.host(transfer.host).address,
    )
    config = output("ops", "link", transfer.key, *place, "--client-json")
    print(f"  {transfer.key} through {transfer.host}/{transfer.inbound}", flush=True)
    with lab.client(config) as client:
        return client.send(up=transfer.up, down=transfer.down, connections=transfer.connections)


def counted() -> dict[str, Any]:
    """Return the bytes by key that the cores have counted."""
    rows = json.loads(output("ops", "traffic", "--json"))["traffic"]
    return {row["key"]: row["traffic_bytes"] for row in rows}


def compare(sent: dict[Transfer, Moved], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Print the bytes sent in this run beside the counted ones."""
    print(f"\n{'this run':8}  {'':8}{'sent':>12}{'counted':>12}  difference")
    for key in sorted({transfer.key for transfer in sent}):
        moved = sum((moved for transfer, moved in sent.items() if transfer.key == key), Moved())
        for way, count in (("uplink", moved.up), ("downlink", moved.down)):
            seen = after[key][f"{way}_bytes"] - before[key][f"{way}_bytes"]
            print(f"{key:8}  {way:8}{count:>12}{seen:>12}  {(seen - count) / count:+.4%}")


def step(title: str) -> None:
    """Print the title of a part of the demo."""
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)


def run(*command: str) -> None:
    """Print *command* as typed in a shell, and run it."""
    print(f"$ {shlex.join(command)}", flush=True)
    subprocess.run([PROGRAMS / command[0], *command[1:]], check=True)


def output(*command: str) -> str:
    """Return the stdout of *command*."""
    return subprocess.run(
        [PROGRAMS / command[0], *command[1:]], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def sentence(error: Exception) -> str:
    """Return *error* as a sentence."""
    if isinstance(error, subprocess.CalledProcessError):
        words: Sequence[str] = [Path(error.cmd[0]).name, *map(str, error.cmd[1:])]
        return f"`{shlex.join(words)}` failed (see above)"
    return str(error)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nThe demo was interrupted. It can be run again: make demo; or ended: make down")
