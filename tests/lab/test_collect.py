"""Real traffic of known size, and whatever can befall a server: the ledger beside what was sent."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from lab import Client, Host, Moved
from lab.waiting import wait_until
from ops.model import Traffic, layout
from tests.lab.accounts import Accounts, assert_same, run_of, wait_for_core
from tests.lab.operator import Operator

MIB = 1 << 20
KILLS = int(os.environ.get("OPS_LAB_KILLS", "12"))
"""How often the collector is killed; the hundred take ten minutes."""
CHANCE = random.Random(4)  # noqa: S311 - the same each time
BUFFER = 256 * 1024
"""What the core may have counted and an aborted connection not delivered: its socket's buffer."""
STOP = 0.1
"""Seconds that a planned stop may miss, as the ledger states."""


@pytest.fixture(scope="module")
def operator(shared: Operator) -> Operator:
    """Somebody whose fleet is in place on all three hosts, once for all tests here."""
    return shared.reset()


@pytest.fixture(scope="module")
def accounts(operator: Operator) -> Accounts:
    """A ledger that knows every host."""
    accounts = Accounts(operator)
    assert accounts.collect("--adopt", "baseline")["code"] == 0
    return accounts


@pytest.fixture(scope="module")
def alice(operator: Operator) -> Iterator[Client]:
    with operator.client("alice", "lab1", "ss") as client:
        yield client


@pytest.fixture(scope="module")
def bob(operator: Operator) -> Iterator[Client]:
    with operator.client("bob", "lab2", "ws") as client:
        yield client


@pytest.fixture
def sent() -> list[Moved]:
    """All that a test sends."""
    return []


def minute(host: Host) -> None:
    """Have the timer's work done now."""
    host.run("systemctl start xray-minute.service")


def test_several_keys_on_several_hosts(
    operator: Operator, accounts: Accounts, alice: Client, bob: Client
) -> None:
    before = {key: accounts.used(key) for key in ("alice", "bob")}
    sent = {
        "alice": alice.send(up=1_234_567, down=7_654_321, connections=5),
        "bob": bob.send(up=70_001, down=3_000_007, connections=3),
    }
    with operator.client("bob", "lab3", "reality") as other:
        sent["bob"] += other.send(up=100_003, down=2_000_003, tls=True)
    assert accounts.collect()["code"] == 0
    for key, moved in sent.items():
        now = accounts.used(key)
        counted = Traffic(now.uplink - before[key].uplink, now.downlink - before[key].downlink)
        assert_same(counted, moved)


def test_planned_ends_while_the_collector_is_off_lose_nothing(
    operator: Operator, accounts: Accounts, alice: Client, sent: list[Moved]
) -> None:
    host = operator.lab.host("lab1")
    with accounts.sees("alice", sent):
        for end in ("systemctl restart xray", "systemctl stop xray; systemctl start xray"):
            sent.append(alice.send(up=MIB, down=5 * MIB))
            host.run(end)
            wait_for_core(host)
        host.reboot()
        wait_for_core(host)
        sent.append(alice.send(up=MIB, down=5 * MIB))


def test_a_rollout_that_restarts_the_core_loses_nothing(
    operator: Operator, accounts: Accounts, bob: Client, sent: list[Moved]
) -> None:
    host = operator.lab.host("lab2")
    before = run_of(host)
    with accounts.sees("bob", sent):
        sent.append(bob.send(up=MIB, down=5 * MIB))
        operator.of_host = {"lab2": 'accounting = "spliced"\n'}
        operator.fill()
        operator.roll_out("--limit", "lab2")
        assert run_of(host) != before
        sent.append(bob.send(up=MIB, down=5 * MIB))


def test_a_planned_stop_in_a_download_misses_what_is_stated(
    operator: Operator, accounts: Accounts, alice: Client
) -> None:
    rate, host = 20 * MIB, operator.lab.host("lab1")
    before = accounts.used("alice")
    with host.undisturbed(), alice.stream(rate=rate) as stream:
        stream.wait_for(20 * MIB)
        host.run("systemctl restart xray")
        wait_until(lambda: not stream.alive, "the download ends")
        got = stream.carried
    wait_for_core(host)
    accounts.collect()
    counted = accounts.used("alice").downlink - before.downlink
    assert got - STOP * rate <= counted <= got + BUFFER
    assert "stop" in {missing.kind for missing in accounts.usage("alice").missing}


@pytest.mark.parametrize("end", ["killed", "powered off", "power cut"])
def test_a_crash_costs_what_passed_since_the_last_reading_and_is_marked(
    operator: Operator, accounts: Accounts, alice: Client, end: str
) -> None:
    host = operator.lab.host("lab1")
    run, before = run_of(host), accounts.used("alice")
    kept = alice.send(up=MIB, down=5 * MIB)
    minute(host)
    lost = alice.send(up=MIB, down=MIB)
    if end == "killed":
        host.run("systemctl kill -s KILL xray")
    elif end == "power cut":
        host.crash()
        wait_until(lambda: host.state == "off", "it is off")
        assert accounts.collect("--timeout", "8")["code"] == 3
        host.start()
    else:
        host.poweroff()
        host.start()
    wait_for_core(host, besides=run)
    after = alice.send(up=MIB, down=MIB)
    assert accounts.collect()["code"] == 0
    now = accounts.used("alice")
    counted = Traffic(now.uplink - before.uplink, now.downlink - before.downlink)
    if end == "powered off":
        assert_same(counted, kept + lost + after)
        return
    # The timer may have taken another reading just before the end.
    assert counted.downlink >= (kept + after).carried_down * 0.995
    assert counted.downlink <= (kept + lost + after).carried_down * 1.005
    crash = next(m for m in accounts.usage("alice").missing if m.run == run)
    assert crash.kind == "crash"
    assert crash.span < timedelta(minutes=2)
    assert accounts.usage("alice").certainty == "at least"


def test_a_cut_tunnel_costs_a_round_and_nothing_else(
    operator: Operator, accounts: Accounts, alice: Client, sent: list[Moved]
) -> None:
    host = operator.lab.host("lab1")
    with accounts.sees("alice", sent), accounts.collector("--every", "0.2s") as collector:
        assert collector.stdout
        for fault, cure in ((host.cut, host.heal), (host.drop, host.undrop)):
            sent.append(alice.send(up=MIB, down=MIB))
            fault()
            time.sleep(CHANCE.uniform(0.1, 0.4))  # in the middle of whatever it does
            cure()
            collector.stdout.readline()
        collector.send_signal(signal.SIGTERM)
        assert collector.wait(60) == 143


def test_a_collector_killed_at_random_loses_and_doubles_nothing(
    operator: Operator, accounts: Accounts, bob: Client, alice: Client, sent: list[Moved]
) -> None:
    host = operator.lab.host("lab2")
    with accounts.sees("bob", sent), alice.stream(rate=MIB):
        for number in range(KILLS):
            with accounts.collector("--every", "0.05s") as collector:
                sent.append(bob.send(up=100_003, down=300_007))
                if number % 4 == 3:
                    host.run("systemctl restart xray")
                    wait_for_core(host)
                time.sleep(CHANCE.uniform(0, 1.5))  # a random point is what this is about
                collector.kill()
    with accounts.open() as ledger:
        assert ledger.verify() == []


def test_two_collectors_at_once_into_one_ledger(
    operator: Operator, accounts: Accounts, bob: Client, sent: list[Moved]
) -> None:
    with accounts.sees("bob", sent):
        sent.append(bob.send(up=MIB, down=MIB))
        rounds = [
            subprocess.Popen(accounts.words(), **accounts._how(), stdout=subprocess.DEVNULL)
            for _ in range(3)
        ]
        assert [round_.wait(120) for round_ in rounds] == [0, 0, 0]


def test_a_second_ledger_and_one_from_yesterday_come_to_the_same(
    operator: Operator, accounts: Accounts, alice: Client
) -> None:
    host = operator.lab.host("lab1")
    other = Accounts(operator, "second.db")
    accounts.collect()
    other.collect("--adopt", "baseline")
    yesterday = operator.folder / "yesterday.db"
    with accounts.open() as ledger:
        ledger.backup(yesterday)
    before = accounts.used("alice"), other.used("alice")
    moved = alice.send(up=MIB, down=3 * MIB)
    host.run("systemctl restart xray")
    wait_for_core(host)
    moved += alice.send(up=MIB, down=3 * MIB)
    for books, old in zip((accounts, other), before, strict=True):
        assert books.collect()["code"] == 0
        now = books.used("alice")
        assert_same(Traffic(now.uplink - old.uplink, now.downlink - old.downlink), moved)
    today = accounts.used("alice")
    for left in accounts.file.parent.glob(f"{accounts.file.name}*"):
        left.unlink()
    yesterday.rename(accounts.file)
    assert accounts.collect()["code"] == 0
    assert accounts.used("alice") == today


@pytest.mark.parametrize("days", [-2, 2])
def test_a_hosts_clock_that_jumps_moves_no_byte(
    operator: Operator, accounts: Accounts, alice: Client, sent: list[Moved], days: int
) -> None:
    """A container has no clock of its own, so what a wrong one writes is written by hand."""
    host = operator.lab.host("lab1")
    run = run_of(host)
    with accounts.sees("alice", sent):
        sent.append(alice.send(up=MIB, down=MIB))
        host.run("systemctl restart xray")
        wait_for_core(host)
        sent.append(alice.send(up=MIB, down=MIB))
        jump = (
            "import json, sys, datetime as d\n"
            f"p = '{layout.READINGS}/{run}.last.json'; r = json.load(open(p))\n"
            "for k in ('read_at', 'counting_since'):\n"
            "  moment = d.datetime.fromisoformat(r[k][:-1])\n"
            f"  r[k] = (moment + d.timedelta({days})).isoformat() + 'Z'\n"
            "json.dump(r, open(p, 'w'))"
        )
        host.run("python3 -", input=jump)


def test_a_ledger_on_a_full_disk_is_told_and_loses_nothing(
    operator: Operator, accounts: Accounts, alice: Client, sent: list[Moved]
) -> None:
    place = accounts.file.parent
    keep = Path(f"{place}.kept")
    with accounts.sees("alice", sent):
        place.rename(keep)
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=True)
        try:
            subprocess.run(["cp", "-a", f"{keep}/.", place], check=True)
            subprocess.run(
                ["dd", "if=/dev/zero", f"of={place}/fill"], stderr=subprocess.DEVNULL, check=False
            )
            sent.append(alice.send(up=MIB, down=MIB))
            outcome = accounts.collect()
            assert outcome["code"] == 1
            assert outcome["ledger_error"]
            (place / "fill").unlink()
            sent.append(alice.send(up=MIB, down=MIB))
            assert accounts.collect()["code"] == 0
            subprocess.run(["cp", "-a", f"{place}/.", keep], check=True)
        finally:
            subprocess.run(["umount", place], check=True)
            place.rmdir()
            keep.rename(place)


def test_pitfalls_13_and_15_a_removed_keys_open_connection_is_counted_to_its_end(
    operator: Operator, accounts: Accounts
) -> None:
    operator.keys = ["alice", "bob", "leaver"]
    operator.fill()
    operator.roll_out("--limit", "lab3")
    before = accounts.used("leaver")
    with operator.client("leaver", "lab3", "ws") as client, client.stream(rate=4 * MIB) as stream:
        stream.wait_for(MIB)
        operator.keys = ["alice", "bob"]
        operator.fill()
        operator.roll_out("--limit", "lab3", "--data", "rotate=all")
        stream.wait_for(4 * MIB)
        got = stream.carried
    accounts.collect()
    counted = accounts.used("leaver").downlink - before.downlink
    assert counted >= got * 0.995


def test_nothing_in_the_ledger_is_unexplained(accounts: Accounts) -> None:
    with accounts.open() as ledger:
        assert ledger.verify() == []
