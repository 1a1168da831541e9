"""Every kind of inbound on the real core: what is rendered runs, carries, counts and guards."""

import json
import re
import subprocess
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.certificates import Authority
from ops.links import client
from ops.model import Fleet, Host, Key, Secrets, layout
from ops.render import placeholders, render, users
from tests import sample
from tests.loopback import (
    Target,
    answers,
    api,
    counters,
    dialled,
    echoed,
    exchange,
    free_port,
    running,
    tls_site,
    until,
)

UP, DOWN = 1_234_577, 3_456_789
OWN = "8.8.4.4"
"""Stands for the host's own public address; nothing is ever sent there."""
GUARDED = (
    "127.0.0.1",
    "127.1.2.3",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "0.0.0.0",  # noqa: S104
    "localhost",
    OWN,
    f"::ffff:{OWN}",
    "10.0.0.1",
    "169.254.169.254",
    "fe80::1",
)
PLAIN = b"hello"
DISGUISED = b"GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n"
"""Looks as if it were meant for a public address, wherever it is sent."""


@dataclass
class Lane:
    """A server that offers every kind, and a client of each that enters it by loopback."""

    core: Path
    api: str
    fleet: Fleet
    host: Host
    secrets: Secrets
    socks: dict[str, int]
    target: Target
    forbidden: Target
    """As the target, but nothing was opened for it."""
    access: Path
    log: Path

    def used(self, key: str = "alice") -> tuple[int, int]:
        """Return what the core counted for *key* so far: up, down."""
        found = counters(self.core, self.api)
        up, down = (found.get(f"user>>>{key}>>>traffic>>>{d}link", 0) for d in ("up", "down"))
        return up, down

    def blocked(self) -> int:
        """Return how many connections were blocked so far: by the routing, or by the outbound."""
        routed = re.findall(r" accepted .* \[\S+ -> block\]", self.access.read_text())
        return len(routed) + self.log.read_text().count("blocked target")


def pinned_to_loopback(authority: Authority, folder: Path, site: int) -> tuple[Fleet, Secrets]:
    """Return the sample fleet on free ports, before a REALITY target on loopback."""
    inbounds = tuple(
        replace(i, port=free_port(), target=i.target and f"127.0.0.1:{site}")
        for i in sample.INBOUNDS
    )
    # Its secrets first: the public keys that people get are those of the private ones.
    fleet = sample.fleet(sample.host(inbounds=inbounds))
    secrets = placeholders(fleet)
    public_keys = {place: public_key(own.private_key) for place, own in secrets.inbounds.items()}
    for name in ("ws", "trojan"):
        issued = authority.issue("ams.example.net")
        (folder / f"{name}.crt").write_bytes(issued.certificate)
        (folder / f"{name}.key").write_bytes(issued.key)
    return replace(fleet, public_keys=public_keys), secrets


def public_key(private_key: str) -> str:
    private = X25519PrivateKey.from_private_bytes(urlsafe_b64decode(private_key + "="))
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def here(text: str, folder: Path) -> dict[str, Any]:
    """Return a rendered config with the paths of a server moved into *folder*."""
    text = text.replace(layout.CERTIFICATES, str(folder)).replace(layout.RUNTIME, str(folder))
    config: dict[str, Any] = json.loads(text)
    return config


def opened(config: dict[str, Any], port: int, log: Path) -> dict[str, Any]:
    """Let users reach 127.0.0.1:*port*, where the tests' target is, and write down their ways.

    Beside it, a name that leads to a public address, without asking anybody.
    """
    rule = {"type": "field", "ip": ["127.0.0.1"], "port": str(port), "outboundTag": "direct"}
    config["routing"]["rules"].insert(0, rule)
    allow = {"action": "allow", "ip": ["127.0.0.1"], "port": str(port)}
    config["outbounds"][0]["settings"]["finalRules"].insert(0, allow)
    config["log"] = {"loglevel": "info", "access": str(log)}
    config["dns"] = {"hosts": {"elsewhere.test": "9.9.9.9"}}
    return config


def trusting(config: dict[str, Any], authority: Authority) -> dict[str, Any]:
    """Let a client trust a private *authority*; the core carries roots of its own, no others."""
    settings = config["outbounds"][0].get("streamSettings", {}).get("tlsSettings")
    if settings:
        trusted = {"usage": "verify", "certificateFile": str(authority.certificate)}
        settings["certificates"] = [trusted]
    return config


@pytest.fixture(scope="module")
def lane(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    folder = tmp_path_factory.mktemp("lane")
    authority = Authority.in_folder(folder)
    with ExitStack() as stack:
        issued = authority.issue(*sample.NAMES)
        (folder / "site.crt").write_bytes(issued.certificate)
        (folder / "site.key").write_bytes(issued.key)
        site = stack.enter_context(tls_site(folder / "site.crt", folder / "site.key"))
        target, forbidden = (stack.enter_context(Target()) for _ in range(2))
        fleet, secrets = pinned_to_loopback(authority, folder, site)
        (host,) = fleet.hosts
        access = folder / "access.log"
        config = opened(here(render(fleet, host, secrets, [OWN]), folder), target.port, access)
        first = host.inbounds[0].port
        live = {"XRAY_BUF_SPLICE": "disable"}
        log = stack.enter_context(running(core, config, folder / "server", first, **live))
        socks = {inbound.name: free_port() for inbound in host.inbounds}
        for inbound in host.inbounds:
            dialling = (fleet, host, inbound, fleet.keys[0], secrets, "127.0.0.1")
            config = client(*dialling, socks_port=(port := socks[inbound.name]))
            stack.enter_context(
                running(core, trusting(config, authority), folder / inbound.name, port)
            )
        server = f"unix:{folder}/api.sock"
        yield Lane(core, server, fleet, host, secrets, socks, target, forbidden, access, log)


@pytest.mark.parametrize("name", sample.KINDS)
def test_payload_is_carried_and_counted_live_within_half_a_percent(lane: Lane, name: str) -> None:
    before = lane.used()
    exchange(lane.socks[name], "127.0.0.1", lane.target.port, UP, DOWN)
    until(lambda: lane.used()[1] - before[1] >= DOWN, "the counters")
    up, down = (now - then for now, then in zip(lane.used(), before, strict=True))
    assert UP <= up <= UP * 1.005
    assert DOWN <= down <= DOWN * 1.005


@pytest.mark.parametrize("name", sample.KINDS)
def test_datagrams_are_carried_and_counted(lane: Lane, name: str) -> None:
    before = lane.used()
    data = bytes(range(256)) * 4
    assert echoed(lane.socks[name], "127.0.0.1", lane.target.port, data) == data
    until(lambda: lane.used()[1] - before[1] >= len(data), "the counters")


@pytest.mark.parametrize("name", sample.KINDS)
def test_inbounds_listen_on_both_families(lane: Lane, name: str) -> None:
    port = lane.host.inbound(name).port
    assert answers(port, "127.0.0.1")
    assert answers(port, "::1")


@pytest.mark.parametrize("name", sample.KINDS)
@pytest.mark.parametrize("said", [PLAIN, DISGUISED], ids=["plain", "disguised"])
def test_users_reach_neither_the_host_nor_its_neighbours(
    lane: Lane, name: str, said: bytes
) -> None:
    before = lane.blocked()
    with ExitStack() as stack:
        for address in GUARDED:
            way = dialled(lane.socks[name], address, lane.forbidden.port)
            stack.enter_context(way).sendall(said)
        until(lambda: lane.blocked() - before >= len(GUARDED), "all to be blocked")
    assert lane.forbidden.reached == []


@pytest.mark.parametrize("name", sample.KINDS)
def test_datagrams_reach_neither(lane: Lane, name: str) -> None:
    before = lane.blocked()
    socks, port = lane.socks[name], lane.forbidden.port
    assert echoed(socks, "127.0.0.1", port, b"hello", patience=0.3) == b""
    assert lane.blocked() > before
    assert lane.forbidden.reached == []


def test_users_reach_what_is_opened_under_any_name(lane: Lane) -> None:
    with dialled(lane.socks["ws"], "127.0.0.1", lane.target.port) as connection:
        connection.sendall(DISGUISED)
        until(lambda: "127.0.0.1" in "".join(lane.target.reached), "the target to be reached")


def test_the_core_takes_the_config_and_warns_of_nothing_we_could_write_otherwise(
    lane: Lane, tmp_path: Path
) -> None:
    folder = Path(lane.api.removeprefix("unix:")).parent
    file = tmp_path / "config.json"
    file.write_text(json.dumps(here(render(lane.fleet, lane.host, lane.secrets, [OWN]), folder)))
    done = subprocess.run([lane.core, "run", "-test", "-c", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    warnings = [line for line in done.stdout.splitlines() if "[Warning]" in line]
    known = ("The feature ", "Listening on non-443 ports")  # of the kinds themselves
    assert [line for line in warnings if not any(word in line for word in known)] == []


@pytest.mark.parametrize("name", sample.KINDS)
def test_users_come_and_go_without_a_restart_even_the_first(
    lane: Lane, tmp_path: Path, name: str
) -> None:
    inbound = replace(lane.host.inbound(name), port=free_port())
    host = replace(lane.host, inbounds=(inbound,))
    empty = replace(lane.fleet, hosts=(host,), keys=())
    full = replace(empty, keys=(Key(name="alice~2"),))
    secrets = replace(placeholders(full), inbounds=lane.secrets.inbounds)
    for file in Path(lane.api.removeprefix("unix:")).parent.glob(f"{name}.[ck]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before, after = (here_text(render(f, host, secrets), tmp_path) for f in (empty, full))
    server = f"unix:{tmp_path}/api.sock"
    with running(lane.core, json.loads(before), tmp_path / "server", inbound.port):
        wanted = tmp_path / "add.json"
        wanted.write_text(json.dumps({"inbounds": json.loads(after)["inbounds"]}))
        api(lane.core, server, "adu", wanted)
        for gone in set(users(before)) - set(users(after)):
            api(lane.core, server, "rmu", f"-tag={gone.inbound}", gone.name)
        found = api(lane.core, server, "inbounduser", f"-tag={name}")["users"]
        assert [user["email"] for user in found] == ["alice~2"]


def test_the_user_that_stands_in_for_nobody_goes_nowhere(lane: Lane, tmp_path: Path) -> None:
    inbound = replace(lane.host.inbound("ss"), port=free_port())
    host = replace(lane.host, inbounds=(inbound,))
    empty = replace(lane.fleet, hosts=(host,), keys=())
    text = render(empty, host, lane.secrets)
    (nobody,) = users(text)
    server = opened(here(text, tmp_path), lane.target.port, tmp_path / "access.log")
    # As if somebody had worked out its key.
    way = client(empty, host, inbound, lane.fleet.keys[0], lane.secrets, "127.0.0.1", free_port())
    account = way["outbounds"][0]["settings"]["servers"][0]
    account["password"] = f"{account['password'].split(':')[0]}:{nobody.id}"
    socks = way["inbounds"][0]["port"]
    with (
        running(lane.core, server, tmp_path / "server", inbound.port),
        running(lane.core, way, tmp_path / "client", socks),
        dialled(socks, "9.9.9.9", lane.target.port) as connection,
    ):
        connection.sendall(PLAIN)
        ways = tmp_path / "access.log"
        until(lambda: "-> block] email: ~nobody" in ways.read_text(), "nobody to be blocked")


def here_text(text: str, folder: Path) -> str:
    return json.dumps(here(text, folder))


def test_the_api_inbound_answers_and_does_not_call_itself(core: Path, tmp_path: Path) -> None:
    host = sample.host(api="inbound", inbounds=())
    fleet = sample.fleet(host)
    port = free_port()
    text = render(fleet, host, Secrets()).replace(str(layout.API_PORT), str(port))
    with running(core, json.loads(text), tmp_path / "server", port):
        found = counters(core, f"127.0.0.1:{port}")
        assert found["outbound>>>direct>>>traffic>>>uplink"] == 0
