"""What ops says that a key used is what its client sent and got, through every kind of inbound."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab import Lab
from lab.addresses import TARGET
from lab.traffic import Client, Moved
from tests.lab.operator import Operator

KINDS = ("reality", "xhttp", "ws", "trojan", "ss")
MORE = """
[inbounds.xhttp]
protocol = "vless"
transport = "xhttp"
security = "reality"
port = 8443
path = "/x"
target = "www.example.com:443"

[inbounds.trojan]
protocol = "trojan"
security = "tls"
port = 2083
certificate = "/etc/ssl/lab/host.crt"
certificate_key = "/etc/ssl/lab/host.key"
"""
EVERY_KIND = f"inbounds = {json.dumps(KINDS)}\n"
TOLERANCE = 0.005
"""Of the payload: what the contract allows."""
OVERHEAD = 4096
"""Bytes a connection that are not payload: the test's own request, a TLS handshake."""


@pytest.fixture(scope="module")
def operator(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Somebody whose three servers offer every kind, rolled out."""
    operator = Operator(
        tmp_path_factory.mktemp("accuracy") / "fleet",
        lab,
        keys=[*KINDS, "shared", "idle"],
        of_host=dict.fromkeys(("lab1", "lab2", "lab3"), EVERY_KIND),
        more=MORE,
    ).begin()
    operator.roll_out("--data", "rotate=all", "--data", "force=yes")
    return operator


def used(operator: Operator, key: str) -> Moved:
    lines = operator.ops("stats", "user", key).split()
    up, down = (int(line.split(":")[1]) for line in lines)
    return Moved(up, down)


def assert_counted(seen: Moved, before: Moved, sent: Moved, connections: int) -> None:
    for now, then, payload in (
        (seen.up, before.up, sent.up),
        (seen.down, before.down, sent.down),
    ):
        assert payload <= now - then <= payload * (1 + TOLERANCE) + OVERHEAD * connections


@pytest.mark.parametrize(
    ("host", "kind"),
    [*(("lab1", kind) for kind in KINDS), ("lab2", "xhttp"), ("lab2", "trojan"), ("lab3", "ws")],
)
def test_odd_payloads_over_many_connections_are_counted(
    operator: Operator, host: str, kind: str
) -> None:
    before = used(operator, kind)
    with operator.client(kind, host, kind) as running:
        sent = running.send(up=1_234_567, down=7_654_321, connections=7)
    assert_counted(used(operator, kind), before, sent, connections=7)


@pytest.mark.parametrize("kind", KINDS)
def test_one_byte_is_counted(operator: Operator, kind: str) -> None:
    before = used(operator, kind)
    with operator.client(kind, "lab1", kind) as running:
        sent = running.send(up=1, down=1)
    assert_counted(used(operator, kind), before, sent, connections=1)


def test_tls_inside_vision_is_counted_with_its_records(operator: Operator) -> None:
    before = used(operator, "reality")
    with operator.client("reality", "lab1", "reality") as running:
        sent = running.send(up=2_000_003, down=9_000_011, connections=3, tls=True)
    assert_counted(used(operator, "reality"), before, sent, connections=3)


def test_several_keys_at_once_are_told_apart(operator: Operator) -> None:
    before = {kind: used(operator, kind) for kind in KINDS}
    sizes = {kind: 1_000_003 * number for number, kind in enumerate(KINDS, 1)}
    with ExitStack() as running, ThreadPoolExecutor() as pool:
        clients = {
            kind: running.enter_context(operator.client(kind, "lab1", kind)) for kind in KINDS
        }
        sends = {k: pool.submit(c.send, up=sizes[k], down=sizes[k]) for k, c in clients.items()}
        sent = {kind: send.result() for kind, send in sends.items()}
    for kind in KINDS:
        assert_counted(used(operator, kind), before[kind], sent[kind], connections=1)


def test_a_key_on_several_inbounds_of_several_hosts_is_one_name(operator: Operator) -> None:
    before, sent = used(operator, "shared"), Moved()
    for kind, host in (("reality", "lab1"), ("ss", "lab1"), ("ws", "lab2"), ("trojan", "lab3")):
        with operator.client("shared", host, kind) as running:
            sent += running.send(up=300_007, down=500_009)
    assert_counted(used(operator, "shared"), before, sent, connections=4)


def test_a_key_that_never_connected_has_0(operator: Operator) -> None:
    assert used(operator, "idle") == Moved()


def test_a_running_vision_download_is_counted_within_a_second(operator: Operator) -> None:
    before, a_second = used(operator, "reality"), 8 << 20
    with (
        operator.client("reality", "lab1", "reality") as client,
        client.stream(rate=a_second, tls=True) as stream,
    ):
        stream.wait_for(a_second)
        got = stream.received
        stream.wait_for(a_second)
        assert used(operator, "reality").down - before.down >= got


@pytest.fixture(scope="module")
def insider(operator: Operator) -> Iterator[Client]:
    with operator.client("shared", "lab1", "ss") as running:
        yield running


def test_a_proxied_user_reaches_the_world(insider: Client) -> None:
    assert insider.reaches(TARGET, 7000)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",  # noqa: S104
        "::",
        "localhost",
        "loopback.example.com",
        "lab1.example.net",
        "10.123.0.1",
    ],
)
@pytest.mark.parametrize("port", [22, 8388])
def test_a_proxied_user_reaches_nothing_of_the_host(
    insider: Client, address: str, port: int
) -> None:
    assert not insider.reaches(address, port, seconds=3)


def test_a_proxied_user_does_not_reach_the_hosts_own_addresses(
    insider: Client, operator: Operator
) -> None:
    host = operator.lab.host("lab1")
    assert not insider.reaches(host.address, 22, seconds=3)
    assert not insider.reaches(host.address6, 22, seconds=3)


@pytest.mark.parametrize("port", [443, 8443, 2053, 2083, 8388])
def test_every_inbound_listens_on_v4_and_v6(operator: Operator, port: int) -> None:
    host = operator.lab.host("lab2")
    for address in (host.address, host.address6):
        socket.create_connection((address, port), timeout=5).close()


def test_ops_left_nothing_behind(operator: Operator, tmp_path: Path) -> None:
    operator.environment["XDG_RUNTIME_DIR"] = str(tmp_path)
    operator.ops("traffic")
    assert [path.name for path in tmp_path.rglob("*.sock")] == []
    del operator.environment["XDG_RUNTIME_DIR"]
