"""What `ops validate` starts never outlives it, and it ends in time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli import cli
from ops.config.render.bounds import bounded
from ops.config.validation import Options, validate_fleet
from ops.config.validation import fleet as of_fleet
from ops.fleet.inventory import load
from tests import fleets

ROOT = Path(__file__).parent.parent
ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{}"
HOSTS = "".join(f"\n[hosts.h{number}]" for number in range(60))


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A fleet of 62 hosts whose template never ends."""
    folder = fleets.write(tmp_path / "fleet", more=HOSTS)
    (folder / "templates").mkdir()
    (folder / "templates" / "xray.json.j2").write_text(ENDLESS)
    return folder


def children(process: int) -> set[int]:
    """Return the processes that *process* started, and those that they started."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found, new = set[int](), {process}
    while new:
        found |= new
        new = {pid for pid, parent in pairs if parent in new} - found
    return found - {process}


def is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor: no workers")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_the_workers_end_with_the_command(endless: Path, how: int) -> None:
    words = [sys.executable, "-m", "ops", "validate", "--no-core", "--fleet", str(endless)]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as command:
        until(lambda: len(children(command.pid)) >= 3)  # the workers, and what watches for leaks
        started = children(command.pid)
        command.send_signal(how)
        until(lambda: not any(map(is_there, started)))
        until(lambda: command.poll() is not None, seconds=5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_core_that_hangs_ends_with_the_command(tmp_path: Path) -> None:
    # A stand-in: no config makes the real core hang.
    program = tmp_path / "xray"
    program.write_text("#!/bin/sh\necho $$ > pid\nexec sleep 1000\n")
    program.chmod(0o755)
    (tmp_path / "c.json").write_text(json.dumps({"inbounds": [], "outbounds": []}))
    script = (
        "import sys, pathlib;"
        "from ops.config.core.chosen import Chosen; from ops.config.core.trial import Bench;"
        "core = Chosen(pathlib.Path(sys.argv[1]), '26.10.10', False);"
        "Bench(core, pathlib.Path(sys.argv[2])).test([('c', {})])"
    )
    words = [sys.executable, "-c", script, str(program), str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT) as command:
        told = tmp_path / "pid"
        until(lambda: told.exists() and told.read_text().strip().isdigit())
        command.kill()
        until(lambda: not is_there(int(told.read_text())))


def test_a_fleet_whose_every_host_takes_too_long_is_given_up(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_fleet, "_USUAL", 0.01)
    fleet = load(endless)
    hosts = fleet.hosts[:20]
    report = validate_fleet(fleet, hosts, Options(without_core=True, seconds=0.2))
    given_up = [f.message for f in report.findings if "were not judged" in f.message]
    assert len(given_up) == 1
    assert len(report.findings) < len(hosts)
    assert report.failed()


def test_rendering_an_endless_template_ends_with_a_sentence(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.config.render.bounds.bounded", lambda _: bounded(0.2))
    result = CliRunner().invoke(cli, ["render", "ams1", "--fleet", str(endless)])
    assert result.exit_code == 1
    assert "rendering ams1 took too long" in result.stderr
    assert "a template loops" in result.stderr


@pytest.mark.parametrize(
    ("rendered", "said"),
    [
        ("[]", "is JSON, but not an object"),
        ("5", "is JSON, but not an object"),
        ("null", "is JSON, but not an object"),
        ('"text"', "is JSON, but not an object"),
        ('{"a": NaN}', "a number that is not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "a number that is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"inbounds": {}}', '"inbounds" must be a list'),
        ('{"inbounds": [1]}', "inbounds[0] must be an object"),
        ('{"inbounds": [{"settings": []}]}', 'the "settings" of inbounds[0] must be an object'),
        (
            '{"inbounds": [{"settings": {"clients": []}}]}',
            'inbounds[0] has users and needs a "tag"',
        ),
        (
            '{"inbounds": [{"tag": "a", "settings": {"users": 1}}]}',
            '"users" of inbounds[0] must be a list',
        ),
        (
            '{"inbounds": [{"tag": "a", "settings": {"users": [{}]}}]}',
            'each user of inbounds[0] must be an object with an "email"',
        ),
    ],
)
def test_a_template_that_renders_no_config_is_a_sentence(
    tmp_path: Path, rendered: str, said: str
) -> None:
    folder = fleets.write(tmp_path / "fleet")
    (folder / "templates").mkdir()
    (folder / "templates" / "xray.json.j2").write_text("{% raw %}" + rendered + "{% endraw %}")
    for verb in (["render", "fra1"], ["validate", "--no-core"]):
        result = CliRunner().invoke(cli, [*verb, "--fleet", str(folder)], catch_exceptions=False)
        assert result.exit_code == 1
        assert said in result.output
        assert "templates/xray.json.j2" in result.output
