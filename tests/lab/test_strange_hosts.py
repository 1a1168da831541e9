"""Hosts whose shells are noisy and whose sudo wants a password: real ones, beside healthy ones."""

import json
import shlex
from collections.abc import Iterator

import pytest

from lab import Host
from lab.waiting import wait_until
from ops.model.layout import CORE
from tests.lab.operator import BIN, Operator

NOISE = "echo boot; echo boot >&2; (for n in $(seq 50); do echo job; sleep .02; done) &\n"
BACK = 20
"""Seconds until sudo works again: without it nobody could mend it."""


@pytest.fixture(scope="module")
def operator(shared: Operator) -> Operator:
    """Somebody whose fleet is in place on all three hosts, once for all tests here."""
    return shared.reset()


def typed(operator: Operator, *words: str) -> tuple[int, str]:
    """Type ``ops`` and *words*; return its exit code and all that it printed."""
    done = operator._run(BIN / "ops", *words)
    return done.returncode, done.stdout


@pytest.fixture
def noisy(host1: Host, host3: Host) -> Iterator[None]:
    """Two hosts whose login shells print before, in and after every command's output."""
    for host in (host1, host3):
        host.run(
            f"cp /root/.bashrc /root/.bashrc.kept; printf %s {shlex.quote(NOISE)} >/root/.bashrc"
        )
    yield
    for host in (host1, host3):
        host.run("mv /root/.bashrc.kept /root/.bashrc")


@pytest.mark.usefixtures("noisy")
def test_noise_of_login_shells_changes_no_answer(operator: Operator) -> None:
    code, printed = typed(operator, "traffic", "--by", "host", "--json")
    assert code == 0, printed
    assert {row["certainty"] for row in json.loads(printed)["traffic"]} == {"exact"}
    code, printed = typed(operator, "hosts", "--json")
    assert code == 0, printed
    assert [line["core"] for line in json.loads(printed)] == ["26.10.10"] * 3
    code, printed = typed(operator, "diff", "--servers")
    assert code == 0, printed
    assert typed(operator, "collect", "--adopt", "count")[0] == 0
    code, printed = typed(operator, "compare", "--json")
    assert code == 0, printed
    assert all(host["network_card"] for host in json.loads(printed)["hosts"])


def test_a_sudo_that_wants_a_password_costs_its_own_host(operator: Operator, host2: Host) -> None:
    host2.put("Defaults env_reset\nadmin ALL=(ALL) ALL\n", "/run/strict", 0o440)
    host2.run(
        f"systemd-run --quiet --on-active={BACK} umount /etc/sudoers;"
        " mount --bind /run/strict /etc/sudoers"
    )
    try:
        told = {words: typed(operator, *words.split()) for words in ("collect", "diff --servers")}
    finally:
        wait_until(lambda: host2.run("true", check=False).returncode == 0, "sudo is back")
    for words, (_, printed) in told.items():
        assert "lab2: " in printed, words
        assert "admin may not use sudo on it without a password (sudo: a password" in printed
        assert "for card in" not in printed
        assert "memfd" not in printed
    assert told["diff --servers"][0] == 3
    assert "lab1" not in told["collect"][1]


@pytest.mark.parametrize("fault", ["empty", "gone"])
def test_a_damaged_core_is_named(operator: Operator, host3: Host, fault: str) -> None:
    spoil = {"empty": ": >", "gone": "rm "}[fault]
    host3.run(f"cp -p {CORE} /root/core")
    try:
        host3.run(
            f"rm {CORE}; {spoil}{CORE}; chmod 755 {CORE}" if fault == "empty" else f"rm {CORE}"
        )
        code, printed = typed(operator, "traffic")
        assert code == 3
        said = {"empty": "lab3: its core at", "gone": "lab3: there is no core at"}
        assert said[fault] in printed
        assert "`pyinfra inventory deploy.py --limit lab3`" in printed
    finally:
        host3.run(f"rm -f {CORE}; cp -p /root/core {CORE}")


def test_a_command_that_timed_out_does_not_stay_on_the_host(
    operator: Operator, host1: Host
) -> None:
    from ops.counting import reading
    from ops.fleet import inventory

    fleet = inventory.load(operator.folder)
    chosen = [host for host in fleet.hosts if host.name == "lab1"]
    found = reading.run_on_hosts(fleet, chosen, "sleep 4711 & sleep 4711", deadline=1.5)
    assert "a command did not end in time" in str(found.failures[0])
    wait_until(
        lambda: not host1.run("pgrep -f '^sleep 4711' || :").stdout.strip(), "the command is gone"
    )
