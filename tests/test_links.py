import base64
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest

from ops.config.links import client, link, links, qr
from ops.config.render import placeholders
from ops.errors import SecretsError
from ops.model import Host, Key, Secrets
from ops.model.inbound import VISION
from tests import sample

FLEET = sample.fleet()
SECRETS = placeholders(FLEET)
ALICE, BOB, _ = FLEET.keys


class Parsed(NamedTuple):
    """A link as an app takes it apart: by hand, knowing nothing of what wrote it."""

    scheme: str
    user: str
    address: str
    port: int
    parameters: dict[str, str]
    name: str


def parse(url: str) -> Parsed:
    assert url.isascii()
    scheme, rest = url.split("://")
    rest, name = rest.split("#")
    rest, _, query = rest.partition("?")
    user, place = rest.split("@")
    address, port = place.rsplit(":", 1)
    pairs = [pair.split("=") for pair in query.split("&") if pair]
    assert len({name for name, _ in pairs}) == len(pairs)
    parameters = {name: unquote(value) for name, value in pairs}
    return Parsed(scheme, unquote(user), address, int(port), parameters, unquote(name))


def of(inbound: str, key: Key = ALICE, address: str = "8.8.4.4", **changes: Any) -> Parsed:
    host = FLEET.hosts[0]
    door = replace(host.inbound(inbound), **changes)
    return parse(link(FLEET, host, door, key, SECRETS, address))


def test_reality() -> None:
    assert of("reality") == Parsed(
        "vless",
        SECRETS.keys["alice"].uuid,
        "8.8.4.4",
        443,
        {
            "encryption": "none",
            "type": "tcp",
            "security": "reality",
            "sni": "www.example.com",
            "fp": "chrome",
            "pbk": "public-reality",
            "sid": SECRETS.inbounds["ams", "reality"].short_ids[0],
            "spx": "/",
            "support-x25519mlkem768": "true",
            "flow": VISION,
        },
        "alice@ams/reality 8.8.4.4",
    )


def test_xhttp() -> None:
    parameters = of("xhttp").parameters
    assert {name: parameters.get(name) for name in ("type", "path", "mode", "flow")} == {
        "type": "xhttp",
        "path": "/x",
        "mode": "auto",
        "flow": None,
    }


@pytest.mark.parametrize("inbound", sample.KINDS)
def test_mihomo_is_told_of_ml_kem_in_every_reality_link_and_no_other(inbound: str) -> None:
    told = of(inbound).parameters.get("support-x25519mlkem768")
    assert told == ("true" if inbound in ("reality", "xhttp") else None)


def test_websocket() -> None:
    assert of("ws").parameters == {
        "encryption": "none",
        "type": "ws",
        "security": "tls",
        "sni": "ams.example.net",
        "fp": "chrome",
        "alpn": "http/1.1",
        "host": "ams.example.net",
        "path": "/ws",
    }


def test_trojan() -> None:
    parsed = of("trojan")
    assert (parsed.scheme, parsed.user) == ("trojan", SECRETS.keys["alice"].password)
    assert parsed.parameters == {
        "type": "tcp",
        "security": "tls",
        "sni": "ams.example.net",
        "fp": "chrome",
        "alpn": "h2,http/1.1",
    }


@pytest.mark.parametrize(("bits", "size"), [(128, 16), (256, 32)])
def test_shadowsocks_gives_method_and_both_keys_in_clear(bits: int, size: int) -> None:
    method = f"2022-blake3-aes-{bits}-gcm"
    parsed = of("ss", method=method)
    said, server, user = parsed.user.split(":")
    assert (parsed.scheme, said, parsed.parameters) == ("ss", method, {})
    for half, whole in (
        (server, SECRETS.inbounds["ams", "ss"].psk),
        (user, SECRETS.keys["alice"].psk),
    ):
        assert base64.b64decode(half) == base64.b64decode(whole)[:size]


def test_the_port_is_the_one_that_clients_dial() -> None:
    assert of("ws", public_port=443).port == 443


@pytest.mark.parametrize(
    ("address", "dialled"),
    [
        ("2001:db8::1", "[2001:db8::1]"),
        ("ams.example.net", "ams.example.net"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_an_address_stands_as_it_must_before_a_port(address: str, dialled: str) -> None:
    assert of("trojan", address=address).address == dialled


def test_odd_characters_survive() -> None:
    path = "/a b?c=d&e#f+g%h/é"
    parsed = of("ws", BOB, path=path)
    assert parsed.parameters["path"] == path
    assert parsed.name == "bob@example.com@ams/ws 8.8.4.4"


def test_values_are_encoded_as_encodeuricomponent_does() -> None:
    url = link(FLEET, FLEET.hosts[0], FLEET.hosts[0].inbound("ws"), BOB, SECRETS, "8.8.4.4")
    assert "&path=%2Fws#bob%40example.com%40ams%2Fws%208.8.4.4" in url


def test_the_name_is_short_where_there_is_one_address() -> None:
    host = sample.host(address=("8.8.4.4",))
    found = [parse(found.url).name for found in links(sample.fleet(host), ALICE, SECRETS)]
    assert found == [f"alice@ams/{kind}" for kind in sample.KINDS]


def test_a_key_gets_every_address_of_every_inbound_it_opens_and_no_other() -> None:
    key = Key(name="alice", opens=frozenset({"ams/ws", "fra"}))
    one = (sample.INBOUNDS[-1],)
    hosts = (
        sample.host(),
        Host(name="fra", address=("9.9.9.9",), inbounds=one),
        Host(name="old", address=("9.9.9.8",), inbounds=one, state="absent"),
    )
    fleet = sample.fleet(*hosts, keys=(key,))
    found = [
        (f.host.name, f.inbound.name, f.address) for f in links(fleet, key, placeholders(fleet))
    ]
    assert found == [
        ("ams", "ws", "ams.example.net"),
        ("ams", "ws", "8.8.4.4"),
        ("fra", "ss", "9.9.9.9"),
    ]


def test_a_links_repr_is_no_link() -> None:
    (first, *_) = links(FLEET, ALICE, SECRETS)
    assert repr(first) == "Link(ams/reality, ams.example.net)"


@pytest.mark.parametrize("inbound", sample.KINDS)
def test_what_is_not_known_is_named(inbound: str) -> None:
    host = FLEET.hosts[0]
    with pytest.raises(SecretsError, match=r"the (UUID|password|PSK) of .* is not known here"):
        link(FLEET, host, host.inbound(inbound), ALICE, Secrets(), "8.8.4.4")


def test_a_pair_that_was_never_issued_is_named() -> None:
    fleet = sample.fleet(public_keys={})
    host = fleet.hosts[0]
    with pytest.raises(SecretsError, match="REALITY public key of ams/reality"):
        link(fleet, host, host.inbounds[0], ALICE, SECRETS, "8.8.4.4")


def test_a_client_offers_socks_and_dials_the_public_port() -> None:
    host = FLEET.hosts[0]
    inbound = replace(host.inbound("ss"), public_port=1234)
    config = client(FLEET, host, inbound, ALICE, SECRETS, "2001:db8::1", socks_port=9)
    assert (config["inbounds"][0]["listen"], config["inbounds"][0]["port"]) == ("127.0.0.1", 9)
    server = config["outbounds"][0]["settings"]["servers"][0]
    assert (server["address"], server["port"]) == ("2001:db8::1", 1234)


def test_qr_codes_fit_a_terminal_and_are_images() -> None:
    public_keys = dict.fromkeys(FLEET.public_keys, "x" * 43)
    url = next(links(replace(FLEET, public_keys=public_keys), BOB, SECRETS)).url
    lines = qr.terminal(url, colour=False).splitlines()
    assert max(map(len, lines)) <= 80
    assert qr.terminal(url).splitlines() == [f"\x1b[97;40m{line}\x1b[0m" for line in lines]
    narrow = qr.terminal(url, colour=False, width=qr.narrowest(url)).splitlines()
    assert {len(line) for line in narrow} == {qr.narrowest(url)} == {len(lines[0]) - 6}
    assert qr.png(url).startswith(b"\x89PNG")
    assert qr.svg(url).startswith("<?xml")
