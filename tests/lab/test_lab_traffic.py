"""The core that the lab makes, and real traffic through it that both ends count."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Client, Host, Lab, LabError
from lab.addresses import LOOPBACK, TARGET, TARGET4, TARGET6
from lab.core import ensure_core
from lab.waiting import wait_until

USER = "b831381d-6324-4d53-ad4f-8cda48b30811"
PORT = 18443
API = "127.0.0.1:20085"


def test_the_core_has_the_same_bytes_twice(tmp_path: Path) -> None:
    first = ensure_core()
    folder = tmp_path / "state"
    wheels = first.program.parents[2] / "wheels"
    shutil.copytree(wheels, folder / "wheels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XRAY_OPS_LAB", str(folder))
        again = ensure_core(tmp_path / "out")
    assert again.archive.parent == tmp_path / "out"
    assert (again.version, again.sha256) == (first.version, first.sha256)
    assert first.sha256 in first.archive.with_suffix(".zip.dgst").read_text()


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[Host]:
    """lab1 with a plain VLESS server whose one user is counted."""
    host = lab.host("lab1")
    host.put(ensure_core().program, "/opt/lab-test/xray", 0o755)
    host.put(json.dumps(server_config()), "/opt/lab-test/config.json")
    host.run(
        "systemd-run --unit=lab-test --setenv=XRAY_BUF_SPLICE=disable "
        "/opt/lab-test/xray run -config /opt/lab-test/config.json"
    )
    wait_until(lambda: host.run(f"ss -Hltn sport = :{PORT}").stdout != "", "the server listens")
    yield host
    host.run("systemctl stop lab-test; rm -r /opt/lab-test")


def server_config() -> dict[str, Any]:
    user = {"id": USER, "email": "alice"}
    inbound = {"listen": "::", "port": PORT, "protocol": "vless"}
    return {
        "log": {"loglevel": "warning"},
        "stats": {},
        "api": {"tag": "api", "listen": API, "services": ["StatsService"]},
        "policy": {"levels": {"0": {"statsUserUplink": True, "statsUserDownlink": True}}},
        "inbounds": [{**inbound, "settings": {"clients": [user], "decryption": "none"}}],
        "outbounds": [{"protocol": "freedom"}],
    }


@pytest.fixture
def client(lab: Lab, server: Host) -> Iterator[Client]:
    door = {"address": server.address6, "port": PORT, "users": [{"id": USER, "encryption": "none"}]}
    socks = {"protocol": "socks", "listen": "127.0.0.1", "port": 1080, "settings": {"udp": True}}
    outbound = {"protocol": "vless", "settings": {"vnext": [door]}}
    config = {"log": {"loglevel": "warning"}, "inbounds": [socks], "outbounds": [outbound]}
    with lab.client(json.dumps(config)) as client:
        yield client


def counted(server: Host) -> tuple[int, int]:
    text = server.run(f"/opt/lab-test/xray api statsquery -s {API} -pattern 'user>>>'").stdout
    counters = {one["name"]: int(one.get("value", 0)) for one in json.loads(text).get("stat", [])}
    up, down = (f"user>>>alice>>>traffic>>>{way}" for way in ("uplink", "downlink"))
    return counters.get(up, 0), counters.get(down, 0)


@pytest.mark.parametrize(
    "sending",
    [
        {"up": 1_234_567, "down": 7_654_321, "connections": 5},
        {"up": 1, "chunk": 1},
        {"up": 100_003, "down": 99_991, "chunk": 1337, "target": TARGET6},
        {"up": 70_001, "down": 900_001, "tls": True},
    ],
    ids=["many", "one byte", "odd chunks", "tls"],
)
def test_xray_counts_what_both_ends_counted(
    server: Host, client: Client, sending: dict[str, Any]
) -> None:
    up, down = counted(server)
    moved = client.send(**sending)
    assert (moved.up, moved.down) == (sending.get("up", 0), sending.get("down", 0))
    after = counted(server)
    assert (after[0] - up, after[1] - down) == (moved.carried_up, moved.carried_down)


def test_datagrams_come_back(client: Client) -> None:
    assert client.echo(1, 100, 1200) == 1301


def test_a_stream_lasts_while_its_server_stands_still(server: Host, client: Client) -> None:
    with client.stream(rate=200_000) as stream:
        stream.wait_for(50_000)
        assert stream.alive
        server.run("systemctl kill --signal=STOP lab-test")
        server.run("systemctl kill --signal=CONT lab-test")
        stream.wait_for(50_000)
        assert stream.error == ""


def test_who_is_reached_is_told_from_who_is_not(client: Client) -> None:
    for name in (TARGET, TARGET4, TARGET6):
        assert client.reaches(name, 7000)
    assert client.reaches("www.example.com", 443, tls=True)
    for name in ("127.0.0.1", LOOPBACK):
        assert not client.reaches(name, int(API.split(":")[1]), seconds=1)


def test_a_client_that_cannot_start_says_why(lab: Lab) -> None:
    config = {"inbounds": [{"protocol": "socks"}], "outbounds": [{"protocol": "nonsense"}]}
    with pytest.raises(LabError, match="unknown config id: nonsense"), lab.client(config):
        pass
