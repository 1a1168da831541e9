"""No value of a fleet's files says more than one value to what reads it behind them."""

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote, urlsplit

import pytest
from paramiko import SSHConfig
from pydantic import BaseModel

from ops.config.links import client, links
from ops.config.render import placeholders, render
from ops.errors import FleetError
from ops.fleet import secrets
from ops.fleet.inventory import load, pyinfra_groups
from ops.fleet.inventory.shape import HostsFile, IssuedFile, KeysFile, SecretsFile
from ops.model import Fleet

ROOT = Path(__file__).parent.parent
PUBLIC = "A" * 42 + "E"
PSK = "A" * 43 + "="
ORDINARY: dict[str, dict[str, Any]] = {
    "hosts.toml": {
        "core": {
            "version": "26.10.10",
            "url": "https://mirror.example.net/v{version}/{file}",
            "sha256": {"x86_64": "0" * 64},
        },
        "ledger": {"url": "postgresql+psycopg://ops@db.example.net/ledger", "zone": "Asia/Tokyo"},
        "defaults": {"ssh_user": "admin", "ssh_key": "~/.ssh/id ed", "inbounds": ["ws", "rl"]},
        "groups": {"edge": {"billing": {"included": "20 TB"}}},
        "inbounds": {
            "ws": {
                "protocol": "vless",
                "transport": "ws",
                "security": "tls",
                "port": 2053,
                "path": "/news",
                "server_name": "cdn.example.net",
                "certificate": "/etc/tls/{server_name}.crt",
                "certificate_key": "/etc/tls/{host}.key",
                "fingerprint": "chrome",
            },
            "rl": {
                "protocol": "vless",
                "security": "reality",
                "port": 443,
                "target": "www.example.com:443",
                "server_names": ["www.example.com"],
            },
        },
        "hosts": {
            "ams1": {
                "ssh_hostname": "10.0.0.5",
                "jump": "ann@bastion.example.net:2222",
                "address": ["ams1.example.net", "2001:db8::7"],
                "groups": ["edge"],
                "maintenance": {"why": "new disk"},
                "overrides": {"rl": {"target": "www.example.org:443"}},
                "ignore": {"XO502": "the certificate is renewed by hand"},
            }
        },
        "outbounds": {"warp": {"protocol": "socks", "settings": {"a": "x"}, "stream_settings": {}}},
        "rules": [
            {
                "outbound": "warp",
                "hosts": ["edge"],
                "domain": ["domain:example.org"],
                "ip": ["192.0.2.0/24"],
                "port": "53,1000-2000",
                "inbound": ["ws"],
                "key": ["alice"],
            }
        ],
    },
    "keys.toml": {"keys": {"alice": {"opens": ["edge/ws", "ams1"], "note": "on loan, until May"}}},
    "issued.toml": {
        "fleet": "f" * 32,
        "keys": {"alice": ["uuid"]},
        "hosts": {"ams1": {"rl": {"made": ["private_key"], "public_key": PUBLIC}}},
    },
    "secrets.toml": {
        "keys": {"alice": {"uuid": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "password": "p" * 16}},
        "hosts": {"ams1": {"rl": {"short_ids": ["00"]}, "ws": {"psk": PSK}}},
    },
}
ORDINARY["secrets.toml"]["keys"]["alice"]["psk"] = PSK
SHAPES: dict[str, type[BaseModel]] = {
    "hosts.toml": HostsFile,
    "keys.toml": KeysFile,
    "issued.toml": IssuedFile,
    "secrets.toml": SecretsFile,
}
ELSEWHERE = {"private_key"}
"""Its form is checked by its mathematics: any change of it is refused."""
HOSTILE = (
    "-",
    "\n  ProxyCommand touch CANARY",
    "\r  ProxyCommand touch CANARY",
    "\u2028  ProxyCommand touch CANARY",
    "\x85ProxyCommand touch CANARY",
    "\nExecStartPre=touch CANARY",
    "\r\nX-Header: yes",
    "\0",
    "\x1b[2J",
    "\x9b2J",
    "\u202e",
    "\ufeff",
    "$(touch CANARY)",
    "`touch CANARY`",
    ";touch CANARY",
    "|touch CANARY",
    "&&touch CANARY",
    '" touch CANARY "',
    "' touch CANARY '",
    "\\",
    "%h",
    "%d",
    "%20",
    "~",
    "*",
    " #x",
    "  ",
    "\t",
    "?x=1",
    "#x",
    "{core.__class__}",
    "{",
    "../../x",
    "@x",
    "\u0661",
    "bücher",
    "x" * 70000,
)
Place = tuple[str | int, ...]


def leaves(data: Any, place: Place = ()) -> Iterator[tuple[Place, bool]]:
    """Yield where each text stands: as a value, or as a table's name (True)."""
    if isinstance(data, dict):
        for name, inner in data.items():
            yield (*place, name), True
            yield from leaves(inner, (*place, name))
    elif isinstance(data, list):
        for index, inner in enumerate(data):
            yield from leaves(inner, (*place, index))
    elif isinstance(data, str):
        yield place, False


def changed(data: Any, place: Place, is_name: bool, value: str) -> Any:
    """Return *data* with *value* in place of what stands at *place*."""
    data = copy.deepcopy(data)
    holder = data
    for part in place[:-1]:
        holder = holder[part]
    if is_name:
        entries = [(value if name == place[-1] else name, held) for name, held in holder.items()]
        holder.clear()
        holder.update(entries)
    else:
        holder[place[-1]] = value
    return data


def models(*shapes: Any) -> Iterator[type[BaseModel]]:
    for shape in shapes:
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            yield shape
            yield from models(*(field.annotation for field in shape.model_fields.values()))
        else:
            yield from models(*get_args(shape))


def named(place: Place) -> str:
    return ".".join(str(part) for part in place)


FIELDS = {name for model in models(*SHAPES.values()) for name in model.model_fields}
LEAVES = [
    pytest.param(file, place, is_name, id=f"{file} {named(place)}{' (name)' if is_name else ''}")
    for file, data in ORDINARY.items()
    for place, is_name in leaves(data)
    if not (is_name and place[-1] in FIELDS)
]


def toml(value: Any) -> str:
    """Return *value* on one line; JSON's escapes are TOML's, too."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def write(folder: Path, files: dict[str, Any]) -> Path:
    inventory = folder / "inventory"
    inventory.mkdir(exist_ok=True)
    (inventory / "known_hosts").touch()
    for name, data in files.items():
        lines = (f"{part} = {toml(inner)}" for part, inner in data.items())
        (inventory / name).write_text(
            "\n".join(lines).replace('"why" = ', 'until = 2020-01-01, "why" = ')
        )
        (inventory / name).chmod(0o600)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(shape: Any, place: str = "") -> Iterator[str]:
    """Yield every field of *shape* that holds text, as ``hosts.*.ssh_user``."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        for name, field in shape.model_fields.items():
            yield from texts(field.annotation, f"{place}.{name}" if place else name)
        return
    if shape is str:
        yield place
    for inner in get_args(shape):
        yield from texts(inner, place)


def test_the_ordinary_fleet_has_every_field_that_holds_text() -> None:
    """So a new field of the shape cannot be left out of the tests below."""
    for file, shape in SHAPES.items():
        there = {part for place, _ in leaves(ORDINARY[file]) for part in place} | ELSEWHERE
        assert {field.rsplit(".", 1)[-1] for field in texts(shape)} <= there, file


def test_ordinary_values_load_and_come_back_as_they_were_written(here: Path) -> None:
    fleet = load(write(here, ORDINARY))
    (ams1,) = fleet.hosts
    assert ams1.ssh.key == f"{here}/.ssh/id ed"
    assert ams1.inbound("ws").certificate == "/etc/tls/cdn.example.net.crt"
    assert dict(ams1.ignore) == {"XO502": "the certificate is renewed by hand"}
    secrets.load(fleet)
    one_value_each(fleet, here)


@pytest.mark.parametrize(("file", "place", "is_name"), LEAVES)
def test_a_hostile_value_is_refused_or_stays_one_value(
    here: Path, file: str, place: Place, is_name: bool
) -> None:
    ordinary: Any = ORDINARY[file]
    for part in place:
        ordinary = ordinary[part] if not is_name else part
    write(here, ORDINARY)
    for number, hostile in enumerate(HOSTILE):
        for value in (hostile, f"{ordinary}{hostile}" if number % 2 else f"{hostile}{ordinary}"):
            write(here, {file: changed(ORDINARY[file], place, is_name, value)})
            try:
                fleet = load(here)
                secrets.load(fleet)
            except FleetError as error:
                refused(error, file)
            else:
                one_value_each(fleet, here)
    assert not list(here.rglob("CANARY"))


def refused(error: FleetError, file: str) -> None:
    """A refusal says where, and holds nothing that a terminal would obey."""
    for problem in error.problems:
        assert problem.line > 0
        assert len(problem.message) < 2100
        assert str(problem).isprintable()
    assert any(problem.file.endswith(file) for problem in error.problems) or "keys" in file


def one_value_each(fleet: Fleet, here: Path) -> None:
    """Whatever reads the fleet's values reads just these."""
    assert not [text for text in said(fleet) if re.search(r"[\0-\x1f\x7f-\x9f\u2028\u2029]", text)]
    assert fleet.core.url.format(version="1.2.3", file="x.zip").count("{") == 0
    given = dict(pyinfra_groups(fleet.folder)["all"])
    fleet = replace(fleet, public_keys={("ams1", "rl"): PUBLIC})
    for host in fleet.hosts:
        config: Any = SSHConfig.from_path(given[host.name]["ssh_config_file"])
        way = config.lookup(host.name)
        assert way["hostname"] == (host.ssh.hostname or host.name)
        assert way["proxyjump"] == host.ssh.jump
        assert "proxycommand" not in way
        jump = host.ssh.jump_host
        assert jump
        hop = config.lookup(jump.hostname)
        assert hop["identityfile"] == [host.ssh.key]
        assert hop["userknownhostsfile"].split() == [str(fleet.known_hosts)]
        assert not re.search(r"[^A-Za-z0-9._@+-]|^-", host.ssh.user)
        known = placeholders(fleet)
        json.loads(render(fleet, host, known))
        for key in fleet.keys:
            for link in links(fleet, key, known):
                parts = urlsplit(link.url)
                assert (parts.port, parts.hostname) == (
                    link.inbound.dialled_port,
                    link.address.lower(),
                )
                query = dict(pair.split("=") for pair in parts.query.split("&"))
                assert unquote(query.get("path", "")) == link.inbound.path
                json.dumps(client(fleet, host, link.inbound, key, known, link.address))


def said(value: Any) -> Iterator[str]:
    """Yield every text of *value*; what goes into JSON as it is stays JSON."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in ("settings", "stream_settings"):
                yield from said(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in said(part))
    elif isinstance(value, tuple | frozenset):
        yield from (text for part in value for text in said(part))


@pytest.mark.parametrize("value", ["9" * 5000, "1e999", "nan", "1979-05-27", "[[1], [2e999]]"])
@pytest.mark.parametrize("place", ["ssh_port", "x"])
def test_a_value_that_no_program_behind_could_read_is_refused(
    here: Path, value: str, place: str
) -> None:
    write(here, ORDINARY)
    file = here / "inventory" / "hosts.toml"
    field = '"a" = "x"' if place == "x" else '"jump" = "ann@bastion.example.net:2222"'
    assert field in file.read_text()
    file.write_text(file.read_text().replace(field, f"{place} = {value}"))
    with pytest.raises(FleetError) as caught:
        load(here)
    assert len(str(caught.value)) < 1000


def test_a_line_break_in_a_hosts_name_for_ssh_runs_nothing_here(here: Path) -> None:
    """The words that an operator types, with the real pyinfra."""
    value = f"127.0.0.1\n  ProxyCommand touch {here}/CANARY"
    place: Place = ("hosts", "ams1", "ssh_hostname")
    write(here, ORDINARY | {"hosts.toml": changed(ORDINARY["hosts.toml"], place, False, value)})
    for name in ("deploy.py", "config.py", "inventory/__init__.py"):
        (here / name).write_text((ROOT / name).read_text())
    words = [sys.executable, "-m", "pyinfra", "inventory", "deploy.py", "-y"]
    done = subprocess.run(
        words,
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert b"ssh_hostname: '127.0.0.1\\n  ProxyCommand touch" in done.stderr + done.stdout
    assert done.returncode == 1
    assert not (here / "CANARY").exists()
