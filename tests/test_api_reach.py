"""Ways from a proxied user to the core's API, each gone on the real core and found by a rule."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.config.lint import Around, judge
from ops.config.lint.routes import PROBES
from tests.loopback import api, free_port, running
from tests.proxied import (
    API_IN,
    FALLBACK,
    PUBLIC,
    Change,
    balancer,
    both,
    fallback,
    figures_by_proxy,
    handed,
    rule,
    server,
    way_out,
)

TO_B = rule(network="tcp", balancerTag="b")
ALLOW = [{"action": "allow"}]
DIALS = {"sockopt": {"dialerProxy": "api"}}
OPEN: dict[str, Change] = {
    "a rule without an inbound": rule(network="tcp", outboundTag="api"),
    "a rule about its own inbound": rule(inboundTag=["in"], outboundTag="api"),
    "a rule about a user": rule(user=["alice"], outboundTag="api"),
    "a rule about an address": rule(ip=[PUBLIC], outboundTag="api"),
    "a balancer": both(TO_B, balancer(selector=["api"])),
    "a balancer by the beginning of the tag": both(TO_B, balancer(selector=["ap"])),
    "a balancer's fallback": both(
        TO_B,
        balancer(selector=["none"], fallbackTag="api"),
        lambda c: c.update(observatory={"subjectSelector": ["none"]}),
    ),
    "a loopback outbound": both(
        way_out(tag="loop", protocol="loopback", settings={"inboundTag": "api-in"}),
        rule(inboundTag=["in"], outboundTag="loop"),
    ),
    "two loopback outbounds in a row": both(
        way_out(tag="loop", protocol="loopback", settings={"inboundTag": "again"}),
        way_out(tag="loop2", protocol="loopback", settings={"inboundTag": "api-in"}),
        rule(inboundTag=["in"], outboundTag="loop"),
        rule(inboundTag=["again"], outboundTag="loop2"),
    ),
    "the first outbound is a loopback": lambda c: c["outbounds"].insert(
        0, {"protocol": "loopback", "settings": {"inboundTag": "api-in"}}
    ),
    "a dialerProxy": both(
        way_out(tag="out", streamSettings=DIALS), rule(inboundTag=["in"], outboundTag="out")
    ),
    "a dialerProxy of the first outbound": lambda c: c["outbounds"][0].update(
        settings={}, streamSettings=DIALS
    ),
    "the API has the first outbound's name": lambda c: c["api"].update(tag="direct"),
    "no outbound at all": lambda c: c.update(outbounds=[]),
    "a redirect to the API's port": both(
        way_out(tag="out", settings={"redirect": f"127.0.0.1:{API_IN}", "finalRules": ALLOW}),
        rule(inboundTag=["in"], outboundTag="out"),
    ),
}


def found(change: Change) -> list[str]:
    config = server(443)
    change(config)
    codes = {rule.code for rule, _ in judge(config, Around())}
    return sorted(codes & {"XO101", "XO108", "XO116", "XO117"})


@pytest.mark.parametrize("change", OPEN.values(), ids=OPEN)
def test_a_way_by_which_a_user_reaches_the_api_is_an_error(
    core: Path, tmp_path: Path, change: Change
) -> None:
    assert "NumGoroutine" in figures_by_proxy(core, tmp_path, change)
    assert {"XO116", "XO117"} & set(found(change))


SHUT: dict[str, Change] = {
    "as it is": lambda c: None,
    "all of the inbound's traffic was taken before": both(
        rule(inboundTag=["in"], outboundTag="direct"), rule(network="tcp", outboundTag="api")
    ),
    "a rule about another inbound": rule(inboundTag=["other"], outboundTag="api"),
    "a dialerProxy of what nothing is sent to": way_out(tag="out", streamSettings=DIALS),
    "a balancer that no rule names": balancer(selector=["api"]),
    "an API that listens by itself": both(
        rule(network="tcp", outboundTag="api"),
        lambda c: c["api"].update(listen=f"127.0.0.1:{FALLBACK}"),
    ),
}


@pytest.mark.parametrize("change", SHUT.values(), ids=SHUT)
def test_and_where_none_does_nothing_is_said(core: Path, tmp_path: Path, change: Change) -> None:
    assert "NumGoroutine" not in figures_by_proxy(core, tmp_path, change)
    assert found(change) == []


def reality(target: object) -> Change:
    said = {"target": target, "serverNames": ["x.test"], "shortIds": ["aa"]}
    said |= {"privateKey": "yBaw532IIUNuQWDTncozoBaLJmcd1JZzvsHUgVPxMk8"}
    return handed(streamSettings={"security": "reality", "realitySettings": said})


TUNNEL = {"address": "127.0.0.1", "port": API_IN}
STRANGERS: dict[str, Change] = {
    "a fallback": fallback(API_IN),
    "a fallback to an address": fallback(f"127.0.0.1:{API_IN}"),
    "a fallback of Trojan": fallback(f"localhost:{API_IN}", "trojan"),
    "a REALITY target": reality(f"127.0.0.1:{API_IN}"),
    "a REALITY target, the port alone": reality(API_IN),
    "a tunnel": both(
        handed(listen="0.0.0.0", protocol="dokodemo-door", settings=TUNNEL),  # noqa: S104
        lambda c: c["outbounds"][0].pop("settings"),
    ),
    "a fallback to the socket": both(
        fallback("/run/api.sock"), lambda c: c["api"].update(listen="/run/api.sock,0600")
    ),
}


@pytest.mark.parametrize("change", STRANGERS.values(), ids=STRANGERS)
def test_so_is_one_by_which_a_stranger_without_a_key_does(
    core: Path, tmp_path: Path, change: Change
) -> None:
    port, there = free_port(), str(tmp_path / "api.sock")
    config = server(port)
    change(config)
    config = json.loads(json.dumps(config).replace("/run/api.sock", there))
    if "api.sock" in there and config["api"].get("listen"):
        config["routing"]["rules"].clear()
    with running(core, config, tmp_path / "server", port):
        assert "NumGoroutine" in str(api(core, f"127.0.0.1:{port}", "statssys"))
    assert "XO117" in found(change)


@pytest.mark.parametrize(
    "more",
    [{"network": "udp"}, {"user": ["alice"]}, {"domain": ["x.test"]}, {"port": "1"},
     {"ip": ["10.0.0.0/8"]}, {"protocol": ["tls"]}, {"attrs": {"a": "b"}}],
    ids=str,
)  # fmt: skip
def test_an_api_rule_that_asks_for_what_no_call_has_is_no_rule(
    core: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["routing"]["rules"][0].update(more)

    port = free_port()
    config = server(port)
    change(config)
    assert figures(core, tmp_path, config, port) == ""
    assert found(change) == ["XO101"]


@pytest.mark.parametrize(
    "more",
    [{"network": "tcp"}, {"network": "TCP,udp"}, {"port": str(API_IN)}, {"ip": ["127.0.0.0/8"]},
     {"source": ["127.0.0.1"]}, {"localPort": str(API_IN)}],
    ids=lambda more: next(iter(more)),  # the port differs in each process
)  # fmt: skip
def test_one_that_asks_for_what_every_call_has_is(
    core: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["routing"]["rules"][0].update(more)

    port = free_port()
    config = server(port)
    change(config)
    assert "NumGoroutine" in figures(core, tmp_path, config, port)
    assert found(change) == []


def figures(core: Path, folder: Path, config: dict[str, Any], port: int) -> str:
    """Return what the API says at its own inbound; nothing where it says nothing in time."""
    with running(core, config, folder / "server", port):
        try:
            return str(api(core, f"127.0.0.1:{API_IN}", "statssys", "-t", "1"))
        except subprocess.CalledProcessError:
            return ""


GUARD = rule(inboundTag=["in"], ip=list(PROBES), outboundTag="block")
LOOP = way_out(tag="loop", protocol="loopback", settings={"inboundTag": "again"})
CARELESS: Change = lambda c: c["outbounds"][0].update(settings={"finalRules": ALLOW})  # noqa: E731
PAST: dict[str, Change] = {
    "TCP before the guard": rule(network="tcp", outboundTag="direct"),
    "a port before the guard": rule(port=str(API_IN), outboundTag="direct"),
    "a user before the guard": rule(user=["alice"], outboundTag="direct"),
    "a loopback before the guard": both(
        LOOP, rule(inboundTag=["in"], network="tcp", outboundTag="loop")
    ),
    "a balancer before the guard": both(TO_B, balancer(selector=["direct"])),
}


@pytest.mark.parametrize("change", PAST.values(), ids=PAST)
def test_a_rule_that_passes_the_guard_of_private_addresses_is_found(
    core: Path, tmp_path: Path, change: Change
) -> None:
    past = both(CARELESS, change, GUARD)
    assert "NumGoroutine" in figures_by_proxy(core, tmp_path, past, "127.0.0.1", API_IN)
    config = server(443)
    past(config)
    assert "XO301" in {rule.code for rule, _ in judge(config, Around())}


def test_and_behind_the_guard_it_is_none(core: Path, tmp_path: Path) -> None:
    kept = both(CARELESS, GUARD, rule(network="tcp", outboundTag="direct"))
    assert "NumGoroutine" not in figures_by_proxy(core, tmp_path, kept, "127.0.0.1", API_IN)
    config = server(443)
    kept(config)
    assert "XO301" not in {rule.code for rule, _ in judge(config, Around())}
