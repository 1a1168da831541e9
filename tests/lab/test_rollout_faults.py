"""Rollouts that go wrong on real servers: the set before serves, and the next run heals."""

import re
import shlex
import zipfile
from pathlib import Path

import pytest

from lab.waiting import wait_until
from ops.model import layout
from ops.servers.on_host import places
from tests.lab.operator import Operator
from tests.lab.witness import config, life, program, serves

SILENT = """#!/bin/sh
[ "$1 $2" = "run -test" ] && exit 0
[ "$1" = run ] || exit 1
echo 'I start and answer nothing'
exec sleep 1000
"""
ENDING = """#!/bin/sh
[ "$1 $2" = "run -test" ] && exit 0
echo 'I end at once'
exit 1
"""


def test_a_config_that_the_core_refuses_changes_nothing(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    operator.more = '[outbounds.odd]\nprotocol = "nosuch"\n'
    operator.fill()
    done = operator.pyinfra("-y", "--limit", "lab1")
    assert done.returncode == 1
    assert re.search(
        r"\[lab1\] test: the core refuses the config: .*nosuch.*; nothing was changed", done.stdout
    )
    assert (life(host), config(host)) == before


@pytest.fixture
def silent(operator: Operator, tmp_path: Path) -> Operator:
    """An operator who pins a core that starts, and answers nothing."""
    operator.pin(release(tmp_path, SILENT))
    return operator


@pytest.fixture
def ending(operator: Operator, tmp_path: Path) -> Operator:
    """An operator who pins a core that ends as soon as it is started."""
    operator.pin(release(tmp_path, ENDING))
    return operator


def release(folder: Path, script: str) -> Path:
    archive = folder / "fake.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("xray", script)
    return archive


def test_a_core_that_answers_nothing_gives_way_to_the_one_before(silent: Operator) -> None:
    host = silent.lab.host("lab1")
    before = config(host)
    done = silent.pyinfra("-y", "--limit", "lab1")
    assert done.returncode == 1
    assert re.search(
        r"prove: the core is not healthy: nothing listens on tcp/2053.*; its last log line: "
        r"I start and answer nothing; the old set is back and serves",
        done.stdout,
    )
    assert config(host) == before
    assert serves(silent, "lab1")


def test_a_first_installation_that_fails_leaves_nothing_enabled(ending: Operator) -> None:
    host = ending.lab.host("lab3")
    pinned, ending.core, ending.of_host = ending.core, "", {"lab3": 'state = "absent"\n'}
    ending.fill()
    ending.roll_out("--limit", "lab3")
    ending.core, ending.of_host = pinned, {}
    ending.fill()
    done = ending.pyinfra("-y", "--limit", "lab3")
    assert done.returncode == 1
    assert "no core ran before, and none runs now" in done.stdout
    left = f"systemctl is-active xray xray-minute.timer; ls {places.UNITS} {places.UNITS}/*.wants"
    assert "inactive\ninactive\n" in host.run(left, check=False).stdout
    assert "xray" not in host.run(left, check=False).stdout


def test_a_stopped_service_that_was_not_ours_comes_back_as_it_was(ending: Operator) -> None:
    host = ending.lab.host("lab3")
    theirs = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
    pinned, ending.core, ending.of_host = ending.core, "", {"lab3": 'state = "absent"\n'}
    ending.fill()
    ending.roll_out("--limit", "lab3")
    host.put(theirs, places.UNIT)
    host.run("systemctl daemon-reload; systemctl enable xray")
    ending.core, ending.of_host = pinned, {}
    ending.fill()
    done = ending.pyinfra("-y", "--limit", "lab3")
    assert done.returncode == 1
    assert "no core ran before, and none runs now" in done.stdout
    assert host.run(f"cat {places.UNIT}").stdout == theirs
    words = "systemctl is-enabled xray; systemctl is-active xray"
    assert host.run(words, check=False).stdout == "enabled\ninactive\n"


def test_the_host_goes_on_by_itself_when_ssh_is_lost(silent: Operator) -> None:
    host = silent.lab.host("lab2")
    before = config(host)
    with silent.start("-y", "--limit", "lab2") as process:
        wait_until(lambda: "sleep" in program(host), "the silent core runs")
        process.kill()
    wait_until(lambda: config(host) == before and "xray" in program(host), "the old set is back")
    assert serves(silent, "lab2")
    assert "the old set is back" in host.run("journalctl -u 'xray-rollout-*' --no-pager").stdout


def test_users_that_were_put_in_by_hand_are_taken_out(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    host.run(f"{layout.CORE} api rmu -s unix:{layout.SOCKET} -tag=ws bob")
    assert "[lab1] + key bob on ws" in operator.roll_out("--limit", "lab1")
    assert serves(operator, "lab1", "bob")


def test_a_power_cut_in_the_middle_of_a_swap_is_mended_at_boot(operator: Operator) -> None:
    host = operator.lab.host("lab3")
    before = config(host).splitlines()[0]
    half = f"""
import sys
sys.path.insert(0, "{places.PROGRAM}")
from ops.servers.on_host import transaction
path = "{layout.CONFIG}"
transaction.stage_file(path, b"half", 0o640, "xray")
transaction.begin([path], who="ann@desk", how="restart", active=True, touched=False, set="")
transaction.switch(path)
"""
    host.run(f"python3 -I -c {shlex.quote(half)}")
    host.crash()
    wait_until(lambda: host.state == "off", "lab3 is off")
    host.start()
    wait_until(lambda: "xray" in program(host), "the core runs")
    assert config(host).splitlines()[0] == before
    assert "unfinished" not in config(host)
    assert serves(operator, "lab3")
    assert "[lab3] nothing to change" in operator.roll_out("--limit", "lab3")
