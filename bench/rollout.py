"""Measure a rollout that changes nothing, beside the same with pyinfra's own operations."""

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from bench import page
from bench.fleet import REALITY
from bench.measure import Sample, measure
from lab import Lab
from lab.core import ensure_core

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
FOLDER = CHECKOUT / "build" / "bench" / "rollout"
BIN = Path(sys.executable).parent
HOSTS = 20
RUNS = 5
OURS, STOCK = "deploy.py", "stock.py"

INVENTORY = """\
[core]
version = "{core.version}"
sha256.x86_64 = "{core.sha256}"
[defaults]
ssh_key = "{key}"
inbounds = ["reality"]
"""
HOST = """\
[hosts.{host.name}]
ssh_hostname = "{host.address}"
{user}
"""
TWELVE = """\
from pyinfra.operations import files, server, systemd

CORE, UNIT = "/usr/local/lib/stock", "/etc/systemd/system/stock.service"
files.directory(name="core", path=CORE, mode="755")
files.directory(name="config", path="/etc/stock", mode="750")
files.directory(name="readings", path="/var/lib/stock", mode="700")
server.group(name="group", group="stock", system=True)
server.group(name="API group", group="stock-api", system=True)
server.user(name="user", user="stock", group="stock", system=True, home="/nonexistent")
files.put(name="program", src="{program}", dest=CORE + "/xray", mode="755")
files.link(name="link", path="/usr/local/lib/stock-current", target=CORE)
files.put(name="settings", src="keys.toml", dest="/etc/stock/config.json", mode="640")
files.put(name="unit", src="stock.service", dest=UNIT, mode="644")
files.put(name="timer", src="stock.service", dest="/etc/stock/timer", mode="644")
systemd.service(name="service", service="stock", running=True, enabled=True)
"""
UNIT = """\
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""


def main() -> None:
    """Boot hosts, roll out both ways once, and then measure both in turns."""
    how = page.conditions()
    with Lab.up(
        "bench", HOSTS, transient=True, say=lambda line: print(line, file=sys.stderr)
    ) as lab:
        environment = prepare(lab)
        for deploy in (OURS, STOCK):
            run(environment, deploy)
        samples: dict[str, list[Sample]] = {OURS: [], STOCK: []}
        for _ in range(RUNS):
            for deploy, of_deploy in samples.items():
                words = [str(BIN / "pyinfra"), "inventory", deploy, "-y"]
                of_deploy.append(measure(words, FOLDER, environment))
    page.write("ROLLOUT.md", [report(samples, how)])


def prepare(lab: Lab) -> dict[str, str]:
    """Write a fleet of the lab's hosts, and return the environment for its commands."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "inventory").mkdir(parents=True)
    for name in ("config.py", "deploy.py", "inventory/__init__.py"):
        shutil.copy(CHECKOUT / name, FOLDER / name)
    text = INVENTORY.format(core=ensure_core(), key=lab.private_key) + REALITY
    for host in lab.hosts:
        user = "" if host.ssh_user == "root" else f'ssh_user = "{host.ssh_user}"'
        text += HOST.format(host=host, user=user)
    (FOLDER / "inventory/hosts.toml").write_text(text)
    (FOLDER / "inventory/keys.toml").write_text("".join(f"[keys.k{i}]\n" for i in range(200)))
    shutil.copy(FOLDER / "inventory/keys.toml", FOLDER / "keys.toml")
    shutil.copy(lab.known_hosts, FOLDER / "inventory/known_hosts")
    (FOLDER / STOCK).write_text(TWELVE.format(program=ensure_core().program))
    (FOLDER / "stock.service").write_text(UNIT)
    environment = {**os.environ, "XDG_CACHE_HOME": str(FOLDER / "cache"), "NO_COLOR": "1"}
    archive = str(ensure_core().archive)
    subprocess.run(
        [BIN / "ops", "core", "fetch", "--archive", archive],
        cwd=FOLDER,
        env=environment,
        check=True,
    )
    subprocess.run(
        [BIN / "ops", "secrets", "fill"],
        cwd=FOLDER,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return environment


def run(environment: dict[str, str], deploy: str) -> None:
    """Run the deploy file *deploy*; CalledProcessError if it fails."""
    subprocess.run(
        [BIN / "pyinfra", "inventory", deploy, "-y"], cwd=FOLDER, env=environment, check=True
    )


def report(samples: dict[str, list[Sample]], how: str) -> str:
    """Return the report as Markdown. *how* are the conditions of the measurement."""
    wall = {name: statistics.median(s.wall for s in each) for name, each in samples.items()}
    cpu = {name: statistics.median(s.cpu for s in each) for name, each in samples.items()}
    failed = [name for name, each in samples.items() if any(s.status for s in each)]
    ratio = wall[STOCK] / wall[OURS]
    verdict = "met" if ratio >= 3 else "**not met**"
    names = {
        OURS: "xray-ops: `pyinfra inventory deploy.py -y`",
        STOCK: "12 stock operations of pyinfra",
    }
    rows = "\n".join(
        f"| {names[name]} | {wall[name] / wall[OURS]:.1f} x | {cpu[name] / cpu[OURS]:.1f} x "
        f"| {wall[name]:.2f} | {cpu[name]:.2f} |"
        for name in samples
    )
    return f"""\
# A rollout that changes nothing, {HOSTS} hosts

| | wall | client CPU | wall s | CPU s |
|---|--:|--:|--:|--:|
{rows}

Goal: wall <= 1/3 of the stock operations. Found: 1/{ratio:.1f}, {verdict}.

How: `python -m bench.rollout`, {how}. {HOSTS} Debian hosts in containers
on the same cores (`lab/`), 200 keys. Figures are medians of {RUNS} runs each, in turns. A first run
that changed everything is not measured. The stock operations manage the same program, a config,
two units, a link, directories, users and a service.{f" Failed: {failed}." if failed else ""}
"""


if __name__ == "__main__":
    main()
