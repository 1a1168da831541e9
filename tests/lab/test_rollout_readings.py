"""The last readings of runs on real servers: whole, private and right, however the run ended."""

import json
from typing import Any

import pytest

from lab import Host, Moved
from lab.waiting import wait_until
from ops.model import layout
from tests.lab.operator import Operator

MIB = 1 << 20


@pytest.fixture(scope="module")
def operator(shared: Operator) -> Operator:
    """Somebody whose fleet is in place on all three hosts, once for all tests here."""
    return shared.reset()


@pytest.fixture
def host(operator: Operator) -> Host:
    """A host whose core has just been started, so that its counters are at 0."""
    host = operator.lab.host("lab1")
    if host.state == "off":
        host.start()
    host.run("systemctl restart xray")
    wait_until(lambda: "run-" in host.run(f"{API} -pattern run-", check=False).stdout, "it answers")
    return host


API = f"{layout.CORE} api statsquery -s unix:{layout.SOCKET}"


def run_of(host: Host) -> str:
    return host.run("systemctl show xray -p InvocationID --value").stdout.strip()


def send(operator: Operator) -> Moved:
    with operator.client("alice", "lab1") as client:
        return client.send(up=MIB, down=5 * MIB)


def reading(host: Host, run: str, kind: str) -> dict[str, Any]:
    """Return the reading, which must be whole, private and of that run."""
    path = f"{layout.READINGS}/{run}.{kind}.json"
    assert host.run(f"stat -c '%a %U' {path} {layout.READINGS}").stdout == "600 root\n700 root\n"
    held: dict[str, Any] = json.loads(host.run(f"cat {path}").stdout)
    assert (held["run"], held["kind"]) == (run, kind)
    assert held["counting_since"] < held["read_at"]
    names = [stat["name"] for stat in held["statsquery"]["stat"]]
    assert f"outbound>>>{layout.RUN_PREFIX}{run}>>>traffic>>>uplink" in names
    assert not host.run(f"find {layout.READINGS} -name '.*' -type f").stdout
    return held


def traffic(held: dict[str, Any], key: str = "alice") -> tuple[int, int]:
    counters = {stat["name"]: int(stat.get("value", 0)) for stat in held["statsquery"]["stat"]}
    return (
        counters[f"user>>>{key}>>>traffic>>>uplink"],
        counters[f"user>>>{key}>>>traffic>>>downlink"],
    )


def right(held: dict[str, Any], moved: Moved) -> None:
    up, down = traffic(held)
    assert up == pytest.approx(moved.carried_up, rel=0.005)
    assert down == pytest.approx(moved.carried_down, rel=0.005)


@pytest.mark.parametrize("end", ["stop", "restart"])
def test_an_orderly_end_leaves_a_last_reading(operator: Operator, host: Host, end: str) -> None:
    run, moved = run_of(host), send(operator)
    host.run(f"systemctl {end} xray")
    right(reading(host, run, "last"), moved)


def test_a_reboot_leaves_a_last_reading_and_the_core_comes_back(
    operator: Operator, host: Host
) -> None:
    run, moved = run_of(host), send(operator)
    host.reboot()
    right(reading(host, run, "last"), moved)
    wait_until(lambda: run_of(host) not in ("", run), "the core runs again")
    assert send(operator).down == 5 * MIB


def test_a_killed_core_leaves_the_minutes_reading_and_comes_back(
    operator: Operator, host: Host
) -> None:
    run, moved = run_of(host), send(operator)
    host.run("systemctl start xray-minute.service && systemctl kill -s KILL xray")
    wait_until(lambda: run_of(host) != run, "the core runs again")
    right(reading(host, run, "minute"), moved)
    assert f"{run}.last" not in host.run(f"ls {layout.READINGS}").stdout


def test_a_power_cut_leaves_the_minutes_reading(operator: Operator, host: Host) -> None:
    run, moved = run_of(host), send(operator)
    host.run("systemctl start xray-minute.service")
    host.crash()
    wait_until(lambda: host.state == "off", "lab1 is off")
    host.start()
    right(reading(host, run, "minute"), moved)


@pytest.mark.parametrize("signal", ["TERM", "HUP"])
def test_a_core_that_is_told_to_end_leaves_nothing_half_written(host: Host, signal: str) -> None:
    run = run_of(host)
    host.run(f"systemctl kill --kill-whom=main -s {signal} xray")
    wait_until(lambda: run_of(host) not in ("", run), "the core runs again")
    left = host.run(f"ls -A {layout.READINGS}").stdout.split()
    assert [name for name in left if run in name] == [f"{run}.begun.json"]


def test_the_timer_reads_every_minute(host: Host) -> None:
    run = run_of(host)
    shown = host.run("systemctl list-timers xray-minute.timer --no-legend").stdout
    assert "xray-minute.service" in shown
    calendar = host.run(
        "systemctl show xray-minute.timer -p TimersMonotonic -p AccuracyUSec"
    ).stdout
    assert "OnUnitActiveUSec=1min" in calendar
    assert "AccuracyUSec=1s" in calendar
    host.run("systemctl start xray-minute.service")
    reading(host, run, "minute")


def test_a_download_is_in_the_last_reading_of_a_stop(operator: Operator, host: Host) -> None:
    run = run_of(host)
    with (
        host.undisturbed(),
        operator.client("alice", "lab1") as client,
        client.stream(rate=20 * MIB) as stream,
    ):
        stream.wait_for(10 * MIB)
        host.run("systemctl stop xray")
        got = stream.carried
    _, down = traffic(reading(host, run, "last"))
    assert down == pytest.approx(got, rel=0.1)


def test_a_spliced_download_is_drained_and_booked(operator: Operator, host: Host) -> None:
    operator.of_host = {"lab1": 'accounting = "spliced"\n'}
    operator.fill()
    operator.roll_out("--limit", "lab1")
    run = run_of(host)
    with (
        operator.client("alice", "lab1", "reality") as client,
        client.stream(rate=20 * MIB, tls=True) as stream,
    ):
        stream.wait_for(10 * MIB)
        host.run("systemctl stop xray")
        wait_until(lambda: not stream.alive, "the download ends")
        got = stream.carried
    _, down = traffic(reading(host, run, "last"))
    assert down >= got
    host.run("systemctl start xray")


def test_a_full_disk_leaves_no_empty_reading_and_does_not_hold_the_stop_up(host: Host) -> None:
    run, place = run_of(host), layout.READINGS
    host.run(f"mount -t tmpfs -o size=16k,mode=700 tmpfs {place}")
    host.run(f"dd if=/dev/zero of={place}/fill 2>/dev/null", check=False)
    host.run("systemctl stop xray")
    assert host.run(f"ls -A {place}").stdout == "fill\n"
    host.run(f"umount {place}; systemctl start xray")
    assert run_of(host) != run
