"""Hosts with `state = "absent"`: known to every command that a user names them to."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.counting import reading
from ops.counting.reading.fan_out import Outcomes
from ops.fleet.inventory import load
from ops.fleet.secrets.fill import fill
from tests import fleets

READERS = [
    ("traffic",),
    ("compare",),
    ("link", "alice"),
    ("secrets", "recover"),
    ("validate", "--no-core"),
    ("stats", "users"),
]
"""Commands that only work with hosts that have a core."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    hosts = fleets.HOSTS.replace("[hosts.fra1]", '[groups.old]\n[hosts.fra1]\nstate = "absent"')
    hosts = hosts.replace('inbounds = ["reality"]', 'inbounds = ["reality"]\ngroups = ["old"]')
    keys = fleets.KEYS + '\n    [keys.carol]\n    opens = ["fra1"]\n'
    found = fleets.write(tmp_path / "fleet", hosts=hosts, keys=keys)
    monkeypatch.chdir(found)
    fill(load(found))
    return found


def ops_(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", READERS)
@pytest.mark.parametrize("chosen", [("--host", "fra1"), ("--host", "f*"), ("--group", "old")])
def test_an_absent_host_is_never_called_unknown(
    words: tuple[str, ...], chosen: tuple[str, str]
) -> None:
    said = ops_(*words, *chosen)
    assert said.exit_code == 2
    assert f'{chosen[0][2:]} {chosen[1]!r}: state = "absent" in hosts.toml' in said.stderr
    assert "unknown" not in said.stderr
    assert "no host matches" not in said.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", READERS)
def test_a_host_that_does_not_exist_stays_unknown(words: tuple[str, ...]) -> None:
    said = ops_(*words, "--host", "fra9")
    assert said.exit_code == 2
    assert "unknown host 'fra9'; did you mean 'fra1'?" in said.stderr


@pytest.mark.usefixtures("folder")
def test_hosts_lists_an_absent_host_and_does_not_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def inspect_hosts(_: object, hosts: list[object], **__: object) -> Outcomes[object]:
        asked.extend(str(getattr(host, "name", "")) for host in hosts)
        return Outcomes(results={}, failures=())

    monkeypatch.setattr(reading, "inspect_hosts", inspect_hosts)
    said = ops_("hosts", "--json")
    assert {row["host"]: row["state"] for row in json.loads(said.stdout)} == {
        "ams1": "unreachable",
        "fra1": "absent",
    }
    assert asked == ["ams1"]
    assert said.exit_code == 4
    only = ops_("hosts", "--host", "fra1")
    assert only.exit_code == 0
    assert "absent" in only.stdout


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("carol",), "'carol' opens no inbound of a host that is up"),
        (("alice", "--inbound", "realty"), "unknown inbound 'realty'; did you mean 'reality'?"),
        (("bob", "--inbound", "reality"), "'bob' opens nothing of what was selected"),
    ],
)
def test_a_key_without_links_is_told_the_real_reason(words: tuple[str, ...], said: str) -> None:
    refused = ops_("link", *words)
    assert refused.exit_code == 2
    assert said in refused.stderr
