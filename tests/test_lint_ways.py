"""Configs that the core accepts and that serve nobody: each tried on it, and named by a rule."""

import json
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab.certificates import Authority
from lab.waiting import wait_until
from ops.config.lint import NOTE, WARNING, Around, judge
from tests.configs import ours
from tests.loopback import api, free_port, running
from tests.proxied import (
    API_IN,
    UUID,
    Change,
    both,
    client,
    fallback,
    figures_by_proxy,
    rule,
    server,
    way_out,
)

BEHIND = free_port()
LET_OUT: Any = {"finalRules": [{"action": "allow"}]}


def first(**said: Any) -> Change:
    """Return a change of the first outbound, which else lets all out."""
    return lambda c: c["outbounds"][0].update({"settings": LET_OUT} | said)


def dials(tag: str) -> dict[str, Any]:
    return {"sockopt": {"dialerProxy": tag}}


def found(change: Change, around: Around | None = None) -> set[str]:
    config = server(443)
    change(config)
    return {rule.code for rule, _ in judge(config, around or Around())}


SERVES = {
    "as it is": first(),
    "a dialerProxy that is there": both(
        first(streamSettings=dials("next")), way_out(tag="next", settings=LET_OUT)
    ),
}
SERVES_NOBODY = [
    ("XO313", first(streamSettings=dials("nope"))),
    ("XO313", first(streamSettings=dials("direct"))),
    ("XO313", both(first(streamSettings=dials("next")),
                   way_out(tag="next", settings=LET_OUT, streamSettings=dials("direct")))),
    ("XO314", both(first(), lambda c: c["outbounds"].insert(0, {"protocol": "blackhole"}))),
    ("XO209", both(first(), lambda c: c["inbounds"][0]["settings"].update(clients=[]))),
]  # fmt: skip


@pytest.mark.parametrize("change", SERVES.values(), ids=SERVES)
def test_what_serves_is_not_blamed(core: Path, tmp_path: Path, change: Change) -> None:
    assert "NumGoroutine" in figures_by_proxy(core, tmp_path, change, "127.0.0.1", API_IN)
    assert not found(change) & {"XO209", "XO313", "XO314"}


@pytest.mark.parametrize(("code", "change"), SERVES_NOBODY)
def test_what_serves_nobody_is_found(core: Path, tmp_path: Path, code: str, change: Change) -> None:
    assert "NumGoroutine" not in figures_by_proxy(core, tmp_path, change, "127.0.0.1", API_IN)
    assert code in found(change)


def behind(xver: int, accepts: bool) -> Change:
    """Return a server whose fallback leads by another inbound of its own to its API."""
    door = {"tag": "door", "listen": "127.0.0.1", "port": BEHIND, "protocol": "dokodemo-door"}
    door |= {"settings": {"address": "127.0.0.1", "port": API_IN}}
    door |= {"streamSettings": {"sockopt": {"acceptProxyProtocol": accepts}}}

    def change(config: dict[str, Any]) -> None:
        fallback(BEHIND)(config)
        config["inbounds"][0]["settings"]["fallbacks"][0]["xver"] = xver
        config["inbounds"].append(door)

    return both(first(), change)


@pytest.mark.parametrize("xver", [0, 1, 2])
@pytest.mark.parametrize("accepts", [False, True])
def test_a_fallback_agrees_on_the_proxy_protocol_with_what_is_behind_it(
    core: Path, tmp_path: Path, xver: int, accepts: bool
) -> None:
    port = free_port()
    config = server(port)
    behind(xver, accepts)(config)
    with running(core, config, tmp_path / "server", port):
        served = True
        try:
            api(core, f"127.0.0.1:{port}", "statssys", "-t", "1")
        except subprocess.CalledProcessError:
            served = False
    assert served == (bool(xver) == accepts)
    assert ("XO406" in found(behind(xver, accepts))) != served


@pytest.mark.parametrize(("mux", "works"), [(None, True), (8, False), (-1, True)])
def test_vision_and_mux_do_not_go_together(
    core: Path, tmp_path: Path, mux: int | None, works: bool
) -> None:
    authority = Authority.in_folder(tmp_path)
    issued = authority.issue("x.test")
    (tmp_path / "x.crt").write_bytes(issued.certificate)
    (tmp_path / "x.key").write_bytes(issued.key)
    pair = {"certificateFile": str(tmp_path / "x.crt"), "keyFile": str(tmp_path / "x.key")}
    trusted = {"usage": "verify", "certificateFile": str(authority.certificate)}
    port, door = free_port(), free_port()
    config, way = server(port), client(port, door, "127.0.0.1", API_IN)
    first()(config)
    config["inbounds"][0]["settings"]["clients"][0]["flow"] = "xtls-rprx-vision"
    config["inbounds"][0]["streamSettings"] = {
        "security": "tls",
        "tlsSettings": {"certificates": [pair]},
    }
    way["outbounds"][0]["settings"]["flow"] = "xtls-rprx-vision"
    way["outbounds"][0]["streamSettings"] = {
        "security": "tls",
        "tlsSettings": {"serverName": "x.test", "certificates": [trusted]},
    }
    if mux is not None:
        way["outbounds"][0]["mux"] = {"enabled": True, "concurrency": mux}
    with ExitStack() as stack:
        stack.enter_context(running(core, config, tmp_path / "server", port))
        stack.enter_context(running(core, way, tmp_path / "client", door))
        try:
            api(core, f"127.0.0.1:{door}", "statssys", "-t", "2")
            worked = True
        except subprocess.CalledProcessError:
            worked = False
    assert worked == works
    assert ("XO407" in {rule.code for rule, _ in judge(way, Around())}) != works


def test_an_inbound_on_the_port_of_sshd_is_found_because_the_core_cannot_start(
    core: Path, tmp_path: Path
) -> None:
    with socket.socket() as sshd:
        sshd.bind(("127.0.0.1", 0))
        sshd.listen()
        port = sshd.getsockname()[1]
        file = tmp_path / "c.json"
        config = server(port)
        file.write_text(json.dumps(config))
        done = subprocess.run(
            [core, "run", "-c", file], capture_output=True, text=True, timeout=20, check=False
        )
    assert done.returncode
    assert "address already in use" in done.stdout + done.stderr
    hits = {rule.code: hit for rule, hit in judge(config, ours(ssh_port=port))}
    assert hits["XO408"].path == ("inbounds", 0, "port")
    config["inbounds"][0]["port"] = 22
    assert {r.code: h.severity for r, h in judge(config, Around())}["XO408"] == WARNING


def test_an_unknown_log_level_is_the_cores_default(core: Path, tmp_path: Path) -> None:
    port = free_port()
    config = server(port) | {"log": {"loglevel": "informational"}}
    with running(core, config, tmp_path / "server", port) as log:
        wait_until(lambda: "26.10.10 started" in log.read_text(), "the core says that it started")
        said = log.read_text()
    assert "[Warning] core: Xray 26.10.10 started" in said
    assert "[Info] app/" not in said
    assert "XO605" in {rule.code for rule, _ in judge(config, Around())}
    config["log"]["loglevel"] = "WARNING"
    assert "XO605" not in {rule.code for rule, _ in judge(config, Around())}


def test_a_template_of_a_fleet_without_the_handler_service_is_an_error() -> None:
    assert "XO118" in found(lambda c: None, ours())
    assert "XO118" not in found(lambda c: c["api"]["services"].append("HandlerService"), ours())
    assert "XO118" not in found(lambda c: None)


def test_an_inbound_without_users_in_a_fleet_waits_for_a_key() -> None:
    config = server(443)
    config["inbounds"][0]["settings"]["clients"] = []
    assert {r.code: h.severity for r, h in judge(config, ours())}["XO209"] == NOTE


@pytest.mark.parametrize(
    "kind",
    [{"network": "ws"}, {"network": "grpc"}, {"network": "httpupgrade"}, "trojan", "vmess",
     "shadowsocks"],
    ids=str,
)  # fmt: skip
def test_what_the_core_calls_deprecated_at_start_is_a_note(
    core: Path, tmp_path: Path, kind: Any
) -> None:
    port = free_port()
    config = server(port)
    inbound = config["inbounds"][0]
    if isinstance(kind, dict):
        inbound["streamSettings"] = kind
    else:
        user = {"password": UUID} if kind == "trojan" else {"id": UUID}
        inbound |= {"protocol": kind, "settings": {"clients": [user]}}
        if kind == "shadowsocks":
            inbound["settings"] = {"method": "2022-blake3-aes-128-gcm", "password": "A" * 22 + "=="}
    with running(core, config, tmp_path / "server", port) as log:
        assert "is deprecated" in log.read_text()
    assert "XO707" in {rule.code for rule, _ in judge(config, Around())}


def test_and_what_it_does_not_is_none(core: Path, tmp_path: Path) -> None:
    port = free_port()
    config = server(port)
    config["inbounds"][0]["streamSettings"] = {"network": "xhttp"}
    with running(core, config, tmp_path / "server", port) as log:
        assert "is deprecated" not in log.read_text()
    assert "XO707" not in {rule.code for rule, _ in judge(config, Around())}


def test_a_rule_for_all_hosts_may_name_what_one_host_lacks() -> None:
    named = both(
        rule(inboundTag=["elsewhere"], outboundTag="direct"),
        rule(user=["carol", "regexp:^carol~[0-9]+$"], outboundTag="block"),
    )
    assert {"XO308", "XO309"} <= found(named, ours())
    fleet = ours(names=frozenset({"elsewhere", "carol"}))
    assert {"XO308", "XO309"}.isdisjoint(found(named, fleet))
