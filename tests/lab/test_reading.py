"""Reading real servers: sshd as it is, the real core, real faults.

The hosts are a lab of their own, with a core put there by hand: what is tested here is the
reading, and it shares neither files nor faults with the rollout's tests.
"""

import json
import os
import pickle
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import Host as LabHost
from lab import Lab, sweep
from lab.core import ensure_core
from lab.waiting import wait_until
from ops.counting import reading
from ops.model import Core, Fleet, Host, Reading, Ssh
from ops.model.layout import API_GROUP, API_INBOUND, API_PORT, CORE, RUNTIME, SOCKET

USER = "b831381d-6324-4d53-ad4f-8cda48b30811"
PORT = 18443
UNIT = "reading.service"
FILE = "/root/reading.json"


def config(api: str, run: str) -> dict[str, Any]:
    """Return a core's config whose API listens as *api* says, in the run called *run*."""
    inbounds: list[dict[str, Any]] = [
        {
            "tag": "vless",
            "listen": "::",
            "port": PORT,
            "protocol": "vless",
            "settings": {"clients": [{"id": USER, "email": "alice"}], "decryption": "none"},
        }
    ]
    rules = []
    if api == "inbound":
        inbounds.append(
            {
                "tag": API_INBOUND,
                "listen": "127.0.0.1",
                "port": API_PORT,
                "protocol": "dokodemo-door",
                "settings": {"address": "127.0.0.1"},
            }
        )
        rules = [{"inboundTag": [API_INBOUND], "outboundTag": "api"}]
    listen = {} if api == "inbound" else {"listen": f"{SOCKET},0660"}
    return {
        "log": {"loglevel": "warning"},
        "env": {"XRAY_BUF_SPLICE": "disable"},
        "stats": {},
        "api": {"tag": "api", "services": ["StatsService"], **listen},
        "policy": {
            "levels": {"0": {"statsUserUplink": True, "statsUserDownlink": True}},
            "system": {
                f"stats{way}{direction}": True
                for way in ("Inbound", "Outbound")
                for direction in ("Uplink", "Downlink")
            },
        },
        "inbounds": inbounds,
        "outbounds": [
            {"tag": "direct", "protocol": "freedom"},
            {"tag": f"run-{run}", "protocol": "blackhole"},
        ],
        "routing": {"rules": rules},
    }


def start_core(host: LabHost, api: str = "socket", run: str = "one") -> None:
    """Run the core on *host*, and return when its API is there."""
    seen = f"test -S {SOCKET}" if api == "socket" else f"ss -tln | grep -q :{API_PORT}"
    host.put(json.dumps(config(api, run)), FILE, 0o600)
    host.run(
        f"systemctl stop {UNIT}; systemctl reset-failed {UNIT};"
        f"systemd-run --quiet --unit={UNIT} -p Group={API_GROUP} -p RuntimeDirectory={RUNTIME[5:]}"
        f" -p RuntimeDirectoryMode=0750 {CORE} run -c {FILE} && until {seen}; do sleep .02; done"
    )


def stop_core(host: LabHost) -> None:
    host.run(f"systemctl stop {UNIT}")


def make_whole(host: LabHost) -> None:
    """End what a test did to *host*, so that the next finds the core it expects."""
    host.clear_faults()
    if host.state == "off":
        host.start()
    expected = shlex.quote(json.dumps(config("socket", "one")))
    same = f'systemctl is-active --quiet {UNIT} && [ "$(cat {FILE})" = {expected} ]'
    if host.run(same, check=False).returncode:
        start_core(host)


@pytest.fixture(scope="module")
def three() -> Iterator[Lab]:
    """Three hosts with the real core on them, not running."""
    sweep()
    with Lab.up(f"r{os.getpid()}", 3, transient=True) as lab:
        for host in lab.hosts:
            host.put(ensure_core().program, CORE, 0o755)
            host.run(f"groupadd --system {API_GROUP}")
        yield lab


@pytest.fixture
def lab3(three: Lab) -> Iterator[Lab]:
    """The three hosts, all with a running core."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(make_whole, three.hosts))
    yield three
    for host in three.hosts:
        host.clear_faults()


@pytest.fixture
def fleet(three: Lab, tmp_path: Path) -> Fleet:
    """The fleet of the three, as an operator would describe it."""
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "known_hosts").write_text(three.known_hosts.read_text())
    hosts = tuple(
        Host(
            name=host.name,
            ssh=Ssh(hostname=host.address, user=host.ssh_user, key=str(three.private_key)),
        )
        for host in three.hosts
    )
    return Fleet(folder=tmp_path, core=Core(version="1"), hosts=hosts, keys=())


def with_host(fleet: Fleet, name: str, **changes: Any) -> Fleet:
    """Return *fleet* with its host called *name* changed."""
    hosts = (replace(host, **changes) if host.name == name else host for host in fleet.hosts)
    return replace(fleet, hosts=tuple(hosts))


def read(fleet: Fleet, deadline: float = 10) -> reading.Round:
    return reading.read_hosts(fleet, fleet.hosts, deadline=deadline)


def one(fleet: Fleet, name: str) -> Reading:
    """Return the reading of the host called *name*, which must answer."""
    answer = reading.read_hosts(fleet, [fleet.host(name)], deadline=10)
    assert answer.failures == ()
    return answer.readings[0]


def failure(fleet: Fleet, name: str, deadline: float = 10) -> str:
    """Return why the host called *name* does not answer."""
    [error] = reading.read_hosts(fleet, [fleet.host(name)], deadline=deadline).failures
    return str(error)


def test_every_host_is_read_by_the_way_it_allows(lab3: Lab, fleet: Fleet) -> None:
    answer = read(fleet)
    assert answer.failures == ()
    # lab2 has no root login and lab3 forwards nothing: they read themselves, lab2 by sudo.
    assert [found.way for found in answer.readings] == ["socket", "exec", "exec"]
    assert all(found.run == "one" for found in answer.readings)
    assert all(found.outbounds.keys() == {"direct"} for found in answer.readings)


def test_a_login_in_the_sockets_group_is_forwarded(lab3: Lab, fleet: Fleet) -> None:
    host = lab3.host("lab2")
    host.run(f"gpasswd --add admin {API_GROUP}")
    try:
        assert one(fleet, "lab2").way == "socket"
    finally:
        host.run(f"gpasswd --delete admin {API_GROUP}")
    assert one(fleet, "lab2").way == "exec"


@pytest.mark.parametrize(("name", "way"), [("lab1", "port"), ("lab3", "exec")])
def test_an_api_on_a_port_is_read(lab3: Lab, fleet: Fleet, name: str, way: str) -> None:
    start_core(lab3.host(name), api="inbound")
    found = one(with_host(fleet, name, api="inbound"), name)
    assert found.way == way
    assert found.inbounds.keys() == {"vless"}


@pytest.mark.parametrize("name", ["lab1", "lab3"])
def test_both_ways_read_what_was_moved(lab3: Lab, fleet: Fleet, name: str) -> None:
    host = lab3.host(name)
    server = {"address": host.address, "port": PORT, "id": USER, "encryption": "none"}
    outbound = {"protocol": "vless", "settings": server}
    with lab3.client({"inbounds": [{"protocol": "socks"}], "outbounds": [outbound]}) as client:
        moved = client.send(up=300_000, down=1_000_000)
    alice = one(fleet, name).users["alice"]
    assert moved.carried_up <= alice.uplink <= 1.005 * moved.carried_up
    assert moved.carried_down <= alice.downlink <= 1.005 * moved.carried_down


def test_a_core_that_is_down_is_told(lab3: Lab, fleet: Fleet) -> None:
    for host in lab3.hosts:
        stop_core(host)
    answer = read(fleet)
    assert len(answer.failures) == 3
    assert all("its core is not running" in str(error) for error in answer.failures)


def test_a_hung_core_ends_at_the_deadline(lab3: Lab, fleet: Fleet) -> None:
    host = lab3.host("lab1")
    host.run(f"systemctl kill -s STOP {UNIT}")
    try:
        assert "its API gave no answer in time" in failure(fleet, "lab1", deadline=3)
    finally:
        host.run(f"systemctl kill -s CONT {UNIT}")


def test_no_sudo_is_told(lab3: Lab, fleet: Fleet) -> None:
    host = lab3.host("lab2")
    # For as long as the test lasts and no longer: without sudo nobody could mend it.
    host.run(
        "mount --bind /dev/null /etc/sudoers; systemd-run --quiet --on-active=3 umount /etc/sudoers"
    )
    assert "needs sudo: admin may not use sudo on it" in failure(fleet, "lab2")
    wait_until(lambda: host.run("true", check=False).returncode == 0, "sudo is back")


@pytest.mark.parametrize("fault", ["cut", "drop", "pause", "crash"])
def test_a_host_that_is_away_costs_its_own_line(lab3: Lab, fleet: Fleet, fault: str) -> None:
    getattr(lab3.host("lab2"), fault)()
    answer = read(fleet, deadline=5)
    assert [found.host for found in answer.readings] == ["lab1", "lab3"]
    assert [error.host for error in answer.failures] == ["lab2"]


def test_a_slow_way_is_no_obstacle(lab3: Lab, fleet: Fleet) -> None:
    lab3.host("lab1").delay(150)
    assert one(fleet, "lab1").way == "socket"


def test_all_are_read_through_one_of_them(lab3: Lab, fleet: Fleet) -> None:
    jump = f"root@{lab3.host('lab1').address}"
    for name in ("lab2", "lab3"):
        host = fleet.host(name)
        fleet = with_host(fleet, name, ssh=replace(host.ssh, jump=jump))
    assert read(fleet).failures == ()


def test_many_behind_a_jump_host_lose_nobody(lab3: Lab, fleet: Fleet) -> None:
    """Forty logins, where sshd's own MaxStartups would drop some of forty at once."""
    jump = f"root@{lab3.host('lab1').address}"
    behind = replace(fleet.host("lab3"), ssh=replace(fleet.host("lab3").ssh, jump=jump))
    many = tuple(replace(behind, name=f"lab3-{number}") for number in range(40))
    answer = reading.read_hosts(replace(fleet, hosts=many), many, deadline=30)
    assert answer.failures == ()


def test_the_host_key_is_the_real_one(lab3: Lab, fleet: Fleet) -> None:
    fleet.known_hosts.write_text("")
    assert "make first contact with `ops hosts trust lab1`" in failure(fleet, "lab1")
    shown = reading.host_keys(fleet, fleet.host("lab1"))
    assert lab3.host("lab1").fingerprint in [key.fingerprint for key in shown]
    fleet.known_hosts.write_text("\n".join(key.line for key in shown))
    assert one(fleet, "lab1").way == "socket"


def test_a_changed_host_key_is_refused(lab3: Lab, fleet: Fleet) -> None:
    lines = fleet.known_hosts.read_text().splitlines()
    own = lab3.host("lab1").host_key.split()[1]
    other = lab3.host("lab2").host_key.split()[1]
    fleet.known_hosts.write_text("\n".join(line.replace(own, other) for line in lines))
    assert "`ops hosts trust lab1 --replace`" in failure(fleet, "lab1")


def test_an_inspection_has_the_cores_version(lab3: Lab, fleet: Fleet) -> None:
    stop_core(lab3.host("lab3"))
    found = reading.inspect_hosts(fleet, fleet.hosts)
    versions = {inspection.core for inspection in found.results.values()}
    assert versions == {ensure_core().version}
    assert "not running" in str(found.results["lab3"].reading)


def test_a_command_runs_as_root_everywhere(lab3: Lab, fleet: Fleet) -> None:
    found = reading.run_on_hosts(fleet, fleet.hosts, f"id -un; cat {FILE} | wc -l")
    assert {text.split()[0] for text in found.results.values()} == {"root"}
    assert found.failures == ()


def test_a_watch_sees_the_new_run_of_a_restarted_core(lab3: Lab, fleet: Fleet) -> None:
    rounds = reading.watch(fleet, fleet.hosts, every=0, deadline=10)
    assert [found.run for found in next(rounds).readings] == ["one"] * 3
    start_core(lab3.host("lab1"), run="two")
    assert [found.run for found in next(rounds).readings] == ["two", "one", "one"]
    rounds.close()


def test_a_watch_outlives_a_reboot(lab3: Lab, fleet: Fleet) -> None:
    rounds = reading.watch(fleet, fleet.hosts, every=0, deadline=5)
    assert len(next(rounds).readings) == 3
    lab3.host("lab1").crash()
    assert [error.host for error in next(rounds).failures] == ["lab1"]
    lab3.host("lab1").start()
    start_core(lab3.host("lab1"), run="two")
    assert [found.run for found in next(rounds).readings] == ["two", "one", "one"]
    rounds.close()


def test_nothing_listens_on_tcp_here_while_reading(lab3: Lab, fleet: Fleet) -> None:
    lab3.host("lab1").run(f"systemctl kill -s STOP {UNIT}")  # so that the reading lasts
    script = (
        "import sys, pickle; from ops.counting import reading;"
        "fleet = pickle.load(sys.stdin.buffer);"
        "reading.read_hosts(fleet, fleet.hosts[:1], deadline=30)"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    try:
        assert run.stdin
        run.stdin.write(pickle.dumps(replace(fleet, public_keys={}, core=Core(version="1"))))
        run.stdin.close()
        wait_until(lambda: bool(_sockets(run.pid, "unix")), "it forwards")
        assert _sockets(run.pid, "tcp") == []
    finally:
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 143
        lab3.host("lab1").run(f"systemctl kill -s CONT {UNIT}")


def _sockets(pid: int, kind: str) -> list[str]:
    """Return the listening sockets of a process."""
    found = subprocess.run(
        ["ss", "-Hlp", f"--{kind}"], capture_output=True, text=True, check=True
    ).stdout
    return [line for line in found.splitlines() if f"pid={pid}," in line]
