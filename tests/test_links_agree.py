"""Links and rendered inbounds say the same, or the difference is a finding."""

import copy
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.config.links import client, differences
from ops.config.render import render
from ops.fleet.inventory.values import BROWSERS
from ops.model import InboundSecrets
from tests import lane, sample
from tests.loopback import exchange

FLEET = sample.fleet()
SECRETS = sample.secrets(FLEET)
(HOST,) = FLEET.hosts
RENDERED = {part["tag"]: part for part in json.loads(render(FLEET, HOST, SECRETS))["inbounds"]}
EVERY_CHARACTER = "/Az09/a-._~!$&'()*+,;=:@z"


def told(name: str, rendered: Any, **changes: Any) -> list[str]:
    inbound = replace(HOST.inbound(name), **changes)
    own = SECRETS.inbounds.get((HOST.name, name), InboundSecrets())
    found = differences(inbound, rendered, own)
    return [f"{'.'.join(map(str, path))}: {what}" for path, what in found]


@pytest.mark.parametrize("name", sample.KINDS)
def test_our_own_templates_render_what_links_say(name: str) -> None:
    assert told(name, RENDERED[name]) == []


@pytest.mark.parametrize(
    ("name", "place", "value", "said"),
    [
        ("ws", "protocol", "trojan", "links say protocol 'vless', and the config has 'trojan'"),
        ("ws", "port", 9, "links say port 2053, and the config has 9"),
        ("ws", "streamSettings.network", "xhttp", "links say network 'ws'"),
        ("ws", "streamSettings.network", "tcp", "links say network 'ws', and the config has 'raw'"),
        ("ws", "streamSettings.security", "none", "links say security 'tls'"),
        ("ws", "streamSettings.wsSettings.path", "/other", "links say path '/ws'"),
        ("ws", "streamSettings.wsSettings.host", "other.net", "links say host 'ams.example.net'"),
        ("ws", "streamSettings.tlsSettings.alpn", ["h2"], "links offer alpn http/1.1"),
        ("ws", "settings.decryption", "mlkem768x25519plus", "links say decryption 'none'"),
        ("xhttp", "streamSettings.xhttpSettings.path", "/y", "links say path '/x'"),
        ("xhttp", "streamSettings.xhttpSettings.mode", "packet-up", "links say mode 'auto'"),
        ("reality", "streamSettings.tcpSettings", {"header": {"type": "http"}}, "have no header"),
        ("reality", "streamSettings.realitySettings.serverNames", ["x.net"], "not among"),
        ("reality", "streamSettings.realitySettings.shortIds", [""], "not among the shortIds"),
        ("reality", "streamSettings.realitySettings.privateKey", "x", "another privateKey"),
        ("reality", "settings.clients.0.flow", "", "links say flow 'xtls-rprx-vision'"),
        ("xhttp", "settings.clients.0.flow", "xtls-rprx-vision", "links say flow ''"),
        ("ss", "settings.method", "2022-blake3-aes-256-gcm", "links say method"),
        ("ss", "settings.password", "AAAA", "another PSK"),
    ],
)
def test_a_link_that_cannot_work_with_what_a_template_rendered_is_told(
    name: str, place: str, value: Any, said: str
) -> None:
    rendered = copy.deepcopy(RENDERED[name])
    holder: Any = rendered
    *parts, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    for part in parts:
        holder = holder[part]
    holder[last] = value
    (found,) = told(name, rendered)
    assert place.split(".")[0] in found
    assert said in found


@pytest.mark.parametrize(
    "changes",
    [
        {"listen": "127.0.0.1", "port": 9},
        {"listen": "/dev/shm/ws.sock", "port": 0},
        {"port": "2053"},
        {"port": "env:PORT"},
    ],
)
def test_what_another_program_on_the_host_may_change_is_not_told(changes: dict[str, Any]) -> None:
    rendered = copy.deepcopy(RENDERED["ws"]) | changes
    if "listen" in changes:
        rendered["streamSettings"]["security"] = "none"
    assert told("ws", rendered) == []


@pytest.mark.parametrize("part", ["settings", "streamSettings", "protocol", "port"])
@pytest.mark.parametrize("odd", [None, [], "x", {"clients": 1}, 7])
@pytest.mark.parametrize("name", sample.KINDS)
def test_an_odd_inbound_is_looked_at_without_a_traceback(name: str, part: str, odd: Any) -> None:
    told(name, RENDERED[name] | {part: odd})


@pytest.mark.parametrize("browser", BROWSERS)
def test_the_core_knows_every_browser_that_the_inventory_may_name(core: Path, browser: str) -> None:
    """A client with another word does not start, and no server's config holds the word."""
    inbound = replace(HOST.inbound("ws"), fingerprint=browser)
    config = client(FLEET, HOST, inbound, FLEET.keys[0], SECRETS, "127.0.0.1")
    words = [str(core), "run", "-test"]
    given = json.dumps(config)
    done = subprocess.run(words, input=given, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["ws", "xhttp"])
def test_a_client_connects_by_a_path_of_every_character_that_a_path_may_have(
    core: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one = (replace(HOST.inbound(name), path=EVERY_CHARACTER),)
    monkeypatch.setattr(sample, "INBOUNDS", one)
    with lane.laid(core, tmp_path) as way:
        exchange(way.socks[name], "127.0.0.1", way.target.port, 1000, 1000)
