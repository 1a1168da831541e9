"""Secrets that go back to what a server has, and secrets that go to a new name."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.config.render import render
from ops.counting import reading
from ops.counting.reading.fan_out import Outcomes
from ops.fleet import secrets
from ops.fleet.inventory import load
from ops.fleet.secrets import issued, store
from ops.fleet.secrets.fill import departed, fill
from ops.model import Fleet
from ops.servers.on_host import users
from ops.servers.on_host.state import HostState
from ops.servers.planning.consent import Consent
from ops.servers.planning.refusals import of_the_set
from ops.servers.planning.transition import Transition
from ops.servers.planning.wanted import of_release
from tests import fleets
from tests.test_changes import edit
from tests.test_changes import fleet as in_git

__all__ = ["in_git"]

OWNERS = ["alice", "bob", "ams1/reality", "ams1/ss", "fra1/reality"]
"""Each key and inbound of the fleet of these tests that has secrets."""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    folder = fleets.write(tmp_path / "fleet")
    monkeypatch.chdir(folder)
    fill(load(folder))
    return load(folder)


def ops_(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def serving(monkeypatch: pytest.MonkeyPatch, configs: dict[str, str]) -> None:
    """Fake the servers: each answers `cat` of its config."""
    answers = Outcomes(results=configs, failures=())
    monkeypatch.setattr(reading, "run_on_hosts", lambda *_, **__: answers)


def configs_of(fleet: Fleet) -> dict[str, str]:
    known = secrets.load(fleet)
    return {host.name: render(fleet, host, known) for host in fleet.hosts}


def refusals(fleet: Fleet, configs: dict[str, str]) -> list[str]:
    """Return the refusals of a rollout to hosts that run *configs*."""
    known, said = secrets.load(fleet), list[str]()
    for host in fleet.hosts:
        config = json.loads(configs[host.name])
        has = users.fingerprints(users.of_config(config))
        state = HostState(
            users=has, file_users=has, inbound_secrets=users.inbound_secrets(config), free=1 << 40
        )
        transition = Transition(fleet, host, state, of_release(fleet, host, known, "0" * 64))
        said += of_the_set(transition, Consent())
    return said


@pytest.mark.parametrize("owner", OWNERS)
def test_the_remedy_in_a_refusal_takes_back_each_kind_of_secret(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    configs, before = configs_of(fleet), secrets.load(fleet)
    kept = issued.path(fleet).read_text()
    serving(monkeypatch, configs)
    fill(fleet, replace=[owner])
    refused = refusals(load(fleet.folder), configs)
    remedies = {found for line in refused for found in re.findall("`ops (secrets [^`]*)`", line)}
    assert len(remedies) == 1, refused
    done = ops_(*remedies.pop().split())
    assert done.exit_code == 0, done.output
    assert f"recovered {owner}: " in done.stdout
    assert refusals(load(fleet.folder), configs) == []
    assert issued.path(fleet).read_text() == kept
    assert configs_of(load(fleet.folder)) == configs
    assert secrets.load(fleet).keys == before.keys


def test_without_replace_recovery_changes_no_secret_of_the_file(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving(monkeypatch, configs_of(fleet))
    fill(fleet, replace=["alice", "fra1/reality"])
    before = store.plain(fleet).read_text()
    said = ops_("secrets", "recover")
    assert said.exit_code == 0
    assert "`ops secrets recover --replace fra1/reality` takes the one of the host" in said.stderr
    assert store.plain(fleet).read_text() == before


def test_a_secret_that_no_server_has_is_not_taken_back(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving(monkeypatch, {"fra1": configs_of(fleet)["fra1"]})
    fill(fleet, replace=["ams1/ss"])
    before = store.plain(fleet).read_text()
    said = ops_("secrets", "recover", "--replace", "ams1/ss")
    assert said.exit_code == 1
    assert "not taken back: ams1/ss: psk: no server that was read has one to take" in said.stderr
    assert store.plain(fleet).read_text() == before


def test_servers_that_differ_leave_the_choice_to_the_operator(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = configs_of(fleet)
    fill(fleet, replace=["alice"])
    serving(monkeypatch, {"ams1": old["ams1"], "fra1": configs_of(load(fleet.folder))["fra1"]})
    before = store.plain(fleet).read_text()
    said = ops_("secrets", "recover", "--replace", "alice")
    assert said.exit_code == 1
    assert "left out: alice: uuid: ams1, fra1 differ" in said.stderr
    assert [line for line in before.splitlines() if "uuid" in line] == [
        line for line in store.plain(fleet).read_text().splitlines() if "uuid" in line
    ]


def test_a_name_without_secrets_is_named_before_a_server_is_asked(fleet: Fleet) -> None:
    said = ops_("secrets", "recover", "--replace", "alise")
    assert said.exit_code == 2
    assert "did you mean 'alice'?" in said.stderr
    assert store.path(fleet)


RENAMES = [
    ("ams1", "ams2", "hosts.toml", "[hosts.ams1]", "[hosts.ams2]"),
    ("fra1", "par1", "hosts.toml", "[hosts.fra1]", "[hosts.par1]"),
    ("bob", "robert", "keys.toml", "[keys.bob]", "[keys.robert]"),
    (
        "fra1/reality",
        "fra1/vision",
        "hosts.toml",
        'inbounds = ["reality"]',
        'inbounds = ["vision"]',
    ),
]
VISION = """
    [inbounds.vision]
    protocol = "vless"
    security = "reality"
    flow = "xtls-rprx-vision"
    port = 443
    target = "www.example.com:443"
"""


def renamed(fleet: Fleet, file: str, before: str, after: str) -> Fleet:
    edit(fleet.folder, before, after, file)
    return load(fleet.folder)


@pytest.mark.parametrize(("old", "new", "file", "before", "after"), RENAMES)
@pytest.mark.parametrize("filled", [False, True])
def test_a_renamed_host_key_or_inbound_keeps_its_secrets(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    file: str,
    before: str,
    after: str,
    filled: bool,
) -> None:
    folder = fleets.write(tmp_path / "fleet", more=VISION)
    monkeypatch.chdir(folder)
    fill(load(folder))
    text = store.plain(load(folder)).read_text()
    now = renamed(load(folder), file, before, after)
    if filled:  # as somebody does who has not read that a rename needs its secrets
        assert "for a new name: `ops secrets rename`" in ops_("secrets", "fill").stderr
        made = store.plain(now).read_text()
        refused = ops_("secrets", "rename", old, new)
        assert refused.exit_code == 1
        assert f"`ops secrets rename --replace {old} {new}`" in refused.stderr
        assert store.plain(now).read_text() == made
    done = ops_("secrets", "rename", *["--replace"][: int(filled)], old, new)
    assert done.exit_code == 0, done.output
    assert f"moved {new}" in done.stdout
    assert departed(now) == []
    assert not fill(load(folder))
    secret = r"[\w=+/-]{16,}"
    assert sorted(re.findall(secret, store.plain(now).read_text())) == sorted(
        re.findall(secret, text)
    )


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("ams1", "ams2"), "ams1 is in the inventory: rename it there first"),
        (("ams0", "ams1"), "'ams0' has no secrets here"),
        (("bob", "bobby"), "'bobby' is not in the inventory"),
        (("bob", "ams1"), "bob and ams1 are not two keys, two hosts or two inbounds"),
    ],
)
def test_names_that_cannot_be_a_rename_change_nothing(
    fleet: Fleet, names: tuple[str, str], said: str
) -> None:
    if names[0] == "bob":
        edit(fleet.folder, "[keys.bob]", "[keys.carol]", "keys.toml")
    before = store.plain(fleet).read_text(), issued.path(fleet).read_text()
    refused = ops_("secrets", "rename", *names)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert before == (store.plain(fleet).read_text(), issued.path(fleet).read_text())


def test_the_diff_knows_a_renamed_server_by_its_address(in_git: Path) -> None:
    edit(in_git, "[hosts.fra1]", "[hosts.par1]")
    said = ops_("diff").stdout
    assert "`ops secrets rename fra1 par1` keeps its links" in said
    assert "fra1 is deleted" not in said
    ops_("secrets", "rename", "fra1", "par1")
    assert "note: par1 has the address of fra1: a server that only" in ops_("diff").stdout
    assert "ops secrets rename" not in ops_("diff").stdout
