"""Rollouts that go wrong on real servers: the set before serves, and the next run heals."""

import hashlib
import re
import shlex
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import Host, Lab
from lab.core import ensure_core
from lab.waiting import wait_until
from ops.model import layout
from ops.on_host import places
from ops.on_host.swap import Swap
from tests.lab.operator import BIN, Operator

MIB = 1 << 20
NO_V6 = "ipv6 = false\n"
"""A change of a host that its core cannot take in while it runs."""
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


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator.settled(tmp_path_factory.mktemp("operator") / "fleet", lab)


@pytest.fixture
def operator(folder: Operator) -> Operator:
    """Somebody whose fleet is in place on all three hosts."""
    for host in folder.lab.hosts:
        host.start()
    folder.reset()
    return folder


def life(host: Host) -> str:
    """Return what changes when the core is started anew."""
    return host.run("systemctl show xray -p MainPID,InvocationID").stdout


def config(host: Host) -> str:
    """Return the digest of the file, of what the core was started on, and of what is half done."""
    words = f"sha256sum < {layout.CONFIG}; sha256sum < {places.STARTED_CONFIG}; ls {places.STATE}"
    return host.run(words).stdout


def serves(operator: Operator, host: str, key: str = "alice") -> bool:
    with operator.client(key, host) as client:
        return client.send(down=MIB).down == MIB


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
    pin(operator, release(tmp_path, SILENT))
    return operator


@pytest.fixture
def ending(operator: Operator, tmp_path: Path) -> Operator:
    """An operator who pins a core that ends as soon as it is started."""
    pin(operator, release(tmp_path, ENDING))
    return operator


def release(folder: Path, program: str) -> Path:
    archive = folder / "fake.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("xray", program)
    return archive


def pin(operator: Operator, archive: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    operator.core = f'version = "26.10.10"\nsha256.x86_64 = "{digest}"'
    operator.fill()
    operator.ops("core", "fetch", "--archive", str(archive))


def test_a_core_that_answers_nothing_gives_way_to_the_one_before(silent: Operator) -> None:
    host = silent.lab.host("lab1")
    before = config(host)
    done = silent.pyinfra("-y", "--limit", "lab1")
    assert done.returncode == 1
    assert re.search(
        r"prove: the core is not healthy: nothing listens on tcp/2053.*; its last words: "
        r"I start and answer nothing; the set before is back and serves",
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


def test_a_service_that_was_not_ours_comes_back(ending: Operator) -> None:
    host = ending.lab.host("lab3")
    theirs = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
    pinned, ending.core, ending.of_host = ending.core, "", {"lab3": 'state = "absent"\n'}
    ending.fill()
    ending.roll_out("--limit", "lab3")
    host.put(theirs, places.UNIT)
    host.run("systemctl daemon-reload; systemctl enable --now xray")
    ending.core, ending.of_host = pinned, {}
    ending.fill()
    done = ending.pyinfra("-y", "--limit", "lab3")
    assert done.returncode == 1
    assert "the set before is back and serves" in done.stdout
    assert host.run(f"cat {places.UNIT}").stdout == theirs
    assert host.run("systemctl is-active xray; systemctl is-enabled xray").stdout == (
        "active\nenabled\n"
    )


def test_the_host_goes_on_by_itself_when_ssh_is_lost(silent: Operator) -> None:
    host = silent.lab.host("lab2")
    before = config(host)
    with silent.start("-y", "--limit", "lab2") as process:
        wait_until(lambda: "sleep" in _program(host), "the silent core runs")
        process.kill()
    wait_until(lambda: config(host) == before and "xray" in _program(host), "the old set is back")
    assert serves(silent, "lab2")
    assert "the set before is back" in host.run("journalctl -u 'xray-rollout-*' --no-pager").stdout


def _program(host: Host) -> str:
    words = "readlink /proc/$(systemctl show xray -p MainPID --value)/exe"
    return host.run(words, check=False).stdout


STEPS = [*Swap.STEPS, f"switch {layout.CONFIG}"]
ROUNDS = [STEPS[start : start + 3] for start in range(0, len(STEPS), 3)]


@pytest.mark.parametrize("steps", ROUNDS, ids=[" ".join(steps) for steps in ROUNDS])
def test_killed_after_any_step_the_old_set_serves_and_the_next_run_heals(
    operator: Operator, steps: list[str]
) -> None:
    hosts = operator.lab.hosts[: len(steps)]
    before = {host: (life(host), config(host)) for host in hosts}
    operator.of_host = dict.fromkeys(("lab1", "lab2", "lab3"), NO_V6)
    operator.fill()
    for host, step in zip(hosts, steps, strict=True):
        host.put(step, places.DRILL)
    words = [word for host in hosts for word in ("--limit", host.name)]
    done = operator.pyinfra("-y", *words)
    assert done.returncode == 1
    for host, step in zip(hosts, steps, strict=True):
        if step == "record":
            continue
        undone = step in ("journal", "switch", "activate", "prove", STEPS[-1])
        assert (f"[{host.name}] killed in the middle" in done.stdout) is undone
        assert config(host) == before[host][1]
        assert (life(host) == before[host][0]) is (step not in ("activate", "prove"))
        assert serves(operator, host.name)
    operator.roll_out(*words)
    assert operator.roll_out(*words).count("nothing to change") == len(hosts)


@pytest.mark.parametrize("step", ["journal", "switch", "activate"])
def test_killed_while_keys_change_nobody_is_dropped(operator: Operator, step: str) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    operator.keys = ["alice", "carol"]
    operator.fill()
    host.put(step, places.DRILL)
    with operator.client("alice", "lab1") as client, client.stream() as stream:
        assert operator.pyinfra("-y", "--limit", "lab1").returncode == 1
        assert (life(host), config(host)) == before
        said = operator.roll_out("--limit", "lab1")
        stream.wait_for(MIB)
    assert "into the running core" in said
    assert life(host) == before[0]
    assert serves(operator, "lab1", "carol")


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
from ops.on_host import transaction
path = "{layout.CONFIG}"
transaction.stage_file(path, b"half", 0o640, "xray")
transaction.begin([path], who="ann@desk", how="restart", active=True, touched=False, set="")
transaction.switch(path)
"""
    host.run(f"python3 -I -c {shlex.quote(half)}")
    host.crash()
    wait_until(lambda: host.state == "off", "lab3 is off")
    host.start()
    wait_until(lambda: "xray" in _program(host), "the core runs")
    assert config(host).splitlines()[0] == before
    assert "unfinished" not in config(host)
    assert serves(operator, "lab3")
    assert "[lab3] nothing to change" in operator.roll_out("--limit", "lab3")


@contextmanager
def held(host: Host) -> Iterator[None]:
    """Hold the host's lock, as a rollout that takes long."""
    hold = f"""
import sys
sys.path.insert(0, "{places.PROGRAM}")
from ops.on_host import lock
with lock.held("ann@desk"):
    print("held", flush=True)
    sys.stdin.read()
"""
    words = host.ssh_command(f"python3 -I -c {shlex.quote(hold)}")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout
        assert one.stdout.readline() == "held\n"
        yield


def test_a_second_rollout_is_told_who_is_at_work(operator: Operator) -> None:
    operator.of_host = {"lab1": NO_V6}
    operator.fill()
    with held(operator.lab.host("lab1")):
        done = operator.pyinfra("-y", "--limit", "lab1")
    assert done.returncode == 1
    assert re.search(r"another rollout is at work here: ann@desk, since 20\d\d-", done.stdout)
    operator.roll_out("--limit", "lab1")


def test_two_rollouts_at_once_leave_one_whole_set(operator: Operator) -> None:
    operator.of_host = {"lab1": NO_V6}
    operator.fill()
    both = [operator.start("-y", "--limit", "lab1") for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    outcomes = sorted(process.returncode for process in both)
    assert outcomes[0] == 0, said
    if outcomes[1]:
        told = "another rollout is at work here: \\w+@|changed since it was looked at"
        assert any(re.search(told, one) for one in said), said
    assert "nothing to change" in operator.roll_out("--limit", "lab1")
    assert serves(operator, "lab1")


def test_a_host_that_changed_behind_the_prompt_is_left_alone(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    operator.of_host = {"lab1": NO_V6}
    operator.fill()
    words = [str(BIN / "pyinfra"), "inventory", "deploy.py", "--limit", "lab1"]
    environment = operator.variables()
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words,
        cwd=operator.folder,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.STDOUT,
        text=True,
    ) as asked:
        assert asked.stdout
        for line in asked.stdout:
            if "Detected changes may not" in line:
                break
        host.run(f"echo >> {layout.CONFIG}")
        said, _ = asked.communicate("\n")
    assert asked.returncode == 1
    assert "look: the host changed since it was looked at: run again; nothing was changed" in said
    operator.roll_out("--limit", "lab1")


@contextmanager
def full(host: Host, folder: str) -> Iterator[None]:
    """Have *folder* of the host lie on a disk that is full."""
    host.run(
        f"set -e; cp -a {folder} /run/full; mount -t tmpfs -o size=2M tmpfs {folder}; "
        f"cp -a /run/full/. {folder}/; dd if=/dev/zero of={folder}/fill 2>/dev/null || true"
    )
    yield
    host.run(f"umount {folder}; rm -r /run/full")


@pytest.mark.parametrize("place", ["/etc/xray", "/etc/systemd/system", places.STATE])
def test_on_a_full_disk_the_old_set_serves_and_the_message_says_why(
    operator: Operator, place: str
) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    operator.of_host = {"lab1": 'accounting = "spliced"\n' + NO_V6}
    operator.fill()
    with full(host, place):
        done = operator.pyinfra("-y", "--limit", "lab1")
        assert life(host) == before[0]
        assert serves(operator, "lab1")
    assert done.returncode == 1
    assert re.search(r"disk is full|No space left on device", done.stdout)
    assert "nothing was changed" in done.stdout
    assert config(host) == before[1]
    operator.roll_out("--limit", "lab1")
    assert "nothing to change" in operator.roll_out("--limit", "lab1")


def test_a_core_that_does_not_fit_on_the_disk_is_not_sent(
    operator: Operator, tmp_path: Path
) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    another = tmp_path / "another.zip"
    another.write_bytes(ensure_core().archive.read_bytes())
    with zipfile.ZipFile(another, "a") as zipped:
        zipped.writestr("another", "another sum")
    pin(operator, another)
    with full(host, places.STATE):
        done = operator.pyinfra("-y", "--limit", "lab1")
    assert done.returncode == 1
    assert "[lab1] left as it is: the core needs " in done.stdout
    assert re.search(r"needs \d+ MiB, and \d are free", done.stdout)
    assert (life(host), config(host)) == before
    assert "core 26.10.10 installed" in operator.roll_out("--limit", "lab1")
