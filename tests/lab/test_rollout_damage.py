"""Real servers that lack what a rollout needs: what can heal is healed, one host fails alone."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab import Host
from lab.waiting import wait_until
from ops.model import layout
from tests.lab.operator import BIN, Operator
from tests.lab.test_diff import drift, live
from tests.lab.witness import NO_V6, config, life, serves

DAMAGE = {
    "empty": "rm $core; touch $core; chmod 755 $core",
    "half": "head -c 20000000 $core > /root/half; rm $core; mv /root/half $core; chmod 755 $core",
    "not executable": "chmod 644 $core",
    "missing": "rm $core",
    "folder missing": "rm -r $(dirname $core)",
    "data empty": "f=$(dirname $core)/geoip.dat; rm $f; touch $f",
}
CORE = f"core=$(readlink -f {layout.CORE}); "


def restart(host: Host) -> None:
    host.run("systemctl restart xray", check=False)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_core_is_drift_and_a_rollout_heals_it(operator: Operator, damage: str) -> None:
    host = operator.lab.host("lab1")
    host.run(f"set -e; {CORE}{DAMAGE[damage]}")
    restart(host)
    told = drift(operator, "--host", "lab1")["lab1"]
    assert "~ the core's files: they are damaged or missing, and are installed again" in told
    assert "core 26.10.10 installed" in operator.roll_out("--limit", "lab1")
    assert serves(operator, "lab1")
    live(operator, "--host", "lab1")


def test_a_core_that_is_damaged_while_it_runs_is_healed_and_nobody_is_dropped(
    operator: Operator,
) -> None:
    host = operator.lab.host("lab1")
    before = life(host)
    host.run(f"set -e; {CORE}{DAMAGE['empty']}")
    said = operator.roll_out("--limit", "lab1")
    assert "the core runs on as it is" in said
    assert life(host) == before
    live(operator, "--host", "lab1")
    host.run("systemctl restart xray")
    assert serves(operator, "lab1")


def test_another_program_in_the_cores_place_is_drift_and_is_replaced(operator: Operator) -> None:
    """It is the core with one byte more, which runs as well."""
    host = operator.lab.host("lab2")
    host.run(f"set -e; {CORE}cp $core /root/other; echo >> /root/other; rm $core; "
             "mv /root/other $core; systemctl restart xray")  # fmt: skip
    wait_until(lambda: serves(operator, "lab2"), "the other program serves")
    assert drift(operator, "--host", "lab2")["lab2"][-1] == "the core is restarted: core 26.10.10"
    operator.roll_out("--limit", "lab2")
    live(operator, "--host", "lab2")
    assert serves(operator, "lab2")


# One host fails alone


@contextmanager
def with_user(host: Host, sudoers: str) -> Iterator[None]:
    """Let ``ann`` log in, who has what *sudoers* says."""
    host.run("useradd -m -s /bin/bash ann; mkdir -p ~ann/.ssh; chown ann ~ann/.ssh")
    host.run("install -o ann ~/.ssh/authorized_keys ~ann/.ssh/authorized_keys")
    host.put(f"{sudoers}\n", "/etc/sudoers.d/ann", 0o440)
    try:
        yield
    finally:
        host.run("rm /etc/sudoers.d/ann; userdel -r ann", check=False)


@contextmanager
def changed(host: Host, begin: str, end: str) -> Iterator[None]:
    host.run(begin)
    try:
        yield
    finally:
        host.run(end)


@pytest.mark.parametrize("sudoers", ["ann ALL=(ALL) ALL", "ann ALL=(ALL) NOPASSWD: /bin/true"])
def test_sudo_that_wants_a_password_fails_its_host_alone_without_a_question(
    operator: Operator, sudoers: str
) -> None:
    operator.keys.append("carol")
    operator.of_host = {"lab1": 'ssh_user = "ann"\n'}
    operator.fill()
    with with_user(operator.lab.host("lab1"), sudoers):
        done = operator.pyinfra("-y")
    assert done.returncode == 1
    assert "[lab1] left as it is: ann may not use sudo here without a password" in done.stdout
    assert "Traceback" not in done.stdout
    assert "python3" not in done.stdout
    said = operator.roll_out("--limit", "lab2", "--limit", "lab3")
    assert said.count("nothing to change") == 2


def test_a_user_with_sudo_rolls_out(operator: Operator) -> None:
    operator.keys.append("carol")
    operator.of_host = {"lab1": 'ssh_user = "ann"\n'}
    operator.fill()
    with with_user(operator.lab.host("lab1"), "ann ALL=(ALL) NOPASSWD: ALL"):
        assert "+ key carol" in operator.roll_out("--limit", "lab1")


def test_what_a_login_shell_says_disturbs_neither_the_look_nor_the_rollout(
    operator: Operator,
) -> None:
    operator.keys.append("carol")
    operator.fill()
    noise = "trap 'echo bye' EXIT; printf 'boot\\nmore'; echo oops >&2\n"
    words = f"cp ~/.bashrc /root/before; {{ printf %s {shlex.quote(noise)}; cat /root/before; }} "
    with changed(operator.lab.host("lab1"), f"{words}> ~/.bashrc", "mv /root/before ~/.bashrc"):
        assert "+ key carol" in operator.roll_out("--limit", "lab1")
        assert "nothing to change" in operator.roll_out("--limit", "lab1")
        live(operator, "--host", "lab1")


def read_only(folder: str) -> tuple[str, str]:
    bind = f"mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}"
    return bind, f"umount {folder}"


@pytest.mark.parametrize("folder", ["/etc/xray", "/etc/systemd/system", "/var/lib/xray-ops"])
def test_a_host_that_can_only_be_read_is_told_and_changes_nothing(
    operator: Operator, folder: str
) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    operator.of_host = {"lab1": NO_V6}
    operator.fill()
    with changed(host, *read_only(folder)):
        done = operator.pyinfra("-y", "--limit", "lab1")
        assert (life(host), config(host)) == before
    assert done.returncode == 1
    assert f"[lab1] left as it is: the host can only read {folder}" in done.stdout
    operator.roll_out("--limit", "lab1")


@pytest.mark.parametrize("host", ["lab1", "lab2"])
def test_a_tmp_that_can_only_be_read_is_in_nobodys_way(operator: Operator, host: str) -> None:
    operator.of_host = {host: NO_V6}
    operator.fill()
    with changed(operator.lab.host(host), *read_only("/tmp")):
        said = operator.roll_out("--limit", host)
        assert "the core is restarted" in said
        assert serves(operator, host)


@pytest.mark.parametrize(
    "state",
    [
        "[]",
        '{"disk": 5}',
        '{"disk": {"/etc/xray/config.json": []}, "releases": 7}',
        '{"started_shape": {"inbounds.reality.x.serverNames": "no JSON"}, "active": "active"}',
        '{"users": {"ws": 3}, "file_users": []}',
        '{"listeners": [[]], "record": 4}',
        '{"drop_ins": ["\\u001b[2J\\u001b]0;x\\u0007"]}',
    ],
)
def test_a_host_that_tells_an_impossible_state_fails_alone(operator: Operator, state: str) -> None:
    host = operator.lab.host("lab1")
    operator.keys.append("carol")
    operator.fill()
    answer = f"printf '\\nxray-ops-state:%s\\n' {shlex.quote(state)}"
    script = f"#!/bin/sh\n{answer}\n"
    with changed(host, "mv /usr/bin/python3 /usr/bin/python3.away", "mv /usr/bin/python3.away "
                 "/usr/bin/python3"):  # fmt: skip
        host.put(script, "/usr/bin/python3", 0o755)
        done = operator.pyinfra("-y", "--limit", "lab1", "--limit", "lab2")
    assert done.returncode == 1
    assert "[lab1] left as it is: " in done.stdout
    assert "Traceback" not in done.stdout
    assert "\x1b]" not in done.stdout
    assert "nothing to change" in operator.roll_out("--limit", "lab2")


# Words


def test_at_the_prompt_a_refusal_is_in_its_place_and_at_the_end_and_the_others_go_on(
    operator: Operator,
) -> None:
    operator.keys.append("carol")
    operator.fill()
    drop_in = "/etc/systemd/system/xray.service.d/10-theirs.conf"
    operator.lab.host("lab2").put("[Service]\nNice=5\n", drop_in)
    try:
        done = subprocess.run(
            [str(BIN / "pyinfra"), "inventory", "deploy.py"],
            cwd=operator.folder,
            env=operator.variables(),
            input="\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    finally:
        operator.lab.host("lab2").run("rm -r /etc/systemd/system/xray.service.d")
    assert done.returncode == 1
    assert done.stdout.count("left as it is") == 2
    assert "Traceback" not in done.stdout
    assert operator.roll_out("--limit", "lab1", "--limit", "lab3").count("nothing to change") == 2


def test_a_host_key_that_changed_is_answered_with_our_own_command(operator: Operator) -> None:
    known_hosts = operator.folder / "inventory" / "known_hosts"
    before = known_hosts.read_text()
    first, second = (operator.lab.host(name) for name in ("lab1", "lab2"))
    known_hosts.write_text(before.replace(first.host_key, second.host_key))
    try:
        done = operator.pyinfra("-y", "--limit", "lab1")
    finally:
        known_hosts.write_text(before)
    assert done.returncode == 1
    assert "ops hosts trust NAME" in done.stdout
    assert "ssh-keygen" not in done.stdout


def test_a_name_that_is_no_host_and_no_group_ends_the_run(operator: Operator) -> None:
    for option in ("--limit", "--exclude"):
        done = operator.pyinfra(option, "lab9")
        assert done.returncode == 2
        assert f"{option} lab9 names no host and no group that is rolled out" in done.stdout
        assert "Connecting" not in done.stdout


def test_a_colleague_is_told_whose_uncommitted_work_a_rollout_takes_back(
    operator: Operator,
) -> None:
    committed = list(operator.keys)
    operator.keys.append("dora")
    operator.write()
    operator.ops("secrets", "fill")
    said = operator.roll_out("--limit", "lab1")
    assert "this includes uncommitted changes of this folder (inventory/" in said
    operator.keys = committed
    operator.fill()
    told = drift(operator, "--host", "lab1")["lab1"]
    assert "the host has uncommitted work of " in told[0]
    assert any(line.startswith("- key dora") for line in told)


def test_what_was_uncommitted_and_is_committed_since_is_no_drift(operator: Operator) -> None:
    operator.keys.append("dora")
    operator.write()
    operator.ops("secrets", "fill")
    operator.roll_out("--limit", "lab1")
    operator.commit("Dora")
    live(operator, "--host", "lab1")
    assert "nothing to change but the record" in operator.roll_out("--limit", "lab1")
    live(operator, "--host", "lab1")


def test_sets_that_a_power_cut_left_go_with_the_next_look(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    left = "/var/lib/xray-ops/set.abc"
    host.run(f"mkdir {left}; echo secret > {left}/set.pyz; touch -d '1 hour ago' {left}")
    live(operator, "--host", "lab1")
    assert "set." not in host.run("ls /var/lib/xray-ops").stdout
