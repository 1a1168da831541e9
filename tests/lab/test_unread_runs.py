"""Cores that end before anybody read them: the ledger says what it cannot know."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lab import Client, Host
from lab.waiting import wait_until
from ops.ledger import Missing
from ops.model import Traffic, layout
from tests.lab.accounts import Accounts, assert_same, run_of, wait_for_core
from tests.lab.operator import Operator

MIB = 1 << 20
MAIN_PID = "systemctl show xray -p MainPID --value"


@pytest.fixture(scope="module")
def operator(shared: Operator) -> Operator:
    """Somebody whose fleet is in place on all three hosts, once for all tests here."""
    return shared.reset()


@pytest.fixture
def host(operator: Operator) -> Iterator[Host]:
    """A host without a timer, so that only what a test wants is written."""
    host = operator.lab.host("lab1")
    host.run("systemctl stop xray-minute.timer")
    yield host
    host.run("systemctl start xray-minute.timer")


@pytest.fixture
def accounts(operator: Operator) -> Iterator[Accounts]:
    """A ledger that knows every host."""
    accounts = Accounts(operator)
    assert accounts.collect("--adopt", "baseline")["code"] == 0
    yield accounts
    with accounts.open() as ledger:
        assert ledger.verify() == []


@pytest.fixture
def alice(operator: Operator) -> Iterator[Client]:
    with operator.client("alice", "lab1", "ss") as client:
        yield client


def kept(host: Host) -> set[str]:
    """Return the names of the readings that the host has."""
    return set(host.run(f"ls {layout.READINGS}").stdout.split())


def unseen(accounts: Accounts) -> list[Missing]:
    """Return the runs that began, and of which nothing else is known."""
    return [one for one in accounts.usage("alice").missing if one.kind == "unseen"]


def test_pitfalls_2_and_26_a_core_killed_at_its_start_comes_back_and_figures_are_at_least(
    host: Host, accounts: Accounts, alice: Client
) -> None:
    alice.send(up=MIB, down=5 * MIB)
    assert accounts.collect()["code"] == 0
    before = accounts.used("alice")
    assert unseen(accounts) == []
    first = run_of(host)
    host.run("systemctl restart xray")
    wait_for_core(host, besides=first)
    unread = run_of(host)
    with alice.stream(rate=4 * MIB) as stream:
        stream.wait_for(MIB)
        host.run(f"kill -9 $({MAIN_PID})")
        wait_until(lambda: not stream.alive, "the download ends")
    wait_until(lambda: run_of(host) not in ("", first, unread), "the core runs again")
    wait_for_core(host, besides=unread)
    assert {name for name in kept(host) if unread in name} == {f"{unread}.begun.json"}
    after = alice.send(up=MIB, down=5 * MIB)
    assert accounts.collect()["code"] == 0
    (lost,) = unseen(accounts)
    assert lost.run == unread
    assert timedelta() < lost.span < timedelta(minutes=2)
    answer = accounts.usage("alice")
    assert answer.certainty == lost.effect(answer.since, answer.until) == "at least"
    now = answer.total
    counted = Traffic(now.uplink - before.uplink, now.downlink - before.downlink)
    assert_same(counted, after)


def test_a_core_that_cannot_start_says_nothing_of_a_run(host: Host, accounts: Accounts) -> None:
    before = kept(host)
    host.run("systemctl stop xray")
    host.run("systemd-run --unit squatter python3 -m http.server 8388")
    wait_until(lambda: ":8388" in host.run("ss -ltn").stdout, "the port is taken")
    host.run("systemctl start --no-block xray")
    shown = "systemctl show xray -p NRestarts --value"
    wait_until(lambda: int(host.run(shown).stdout or 0) > 1, "it was tried again")
    # While one attempt runs, its own beginning is there.
    wait_until(
        lambda: not any("begun" in name for name in kept(host) - before),
        "what began and never came up is forgotten",
    )
    host.run("systemctl stop squatter")
    wait_for_core(host)
