"""Secrets through old copies, lost identities, two editors and keys that left."""

import subprocess
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.config.links import links
from ops.config.render import render
from ops.counting import reading
from ops.counting.reading.fan_out import Outcomes
from ops.errors import FleetError, SecretsError
from ops.fleet import secrets
from ops.fleet.inventory import load
from ops.fleet.secrets import age, issued, store
from ops.fleet.secrets.fill import departed, fill
from ops.model import Fleet
from ops.servers.recovery import recover
from tests import fleets


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = fleets.write(tmp_path / "fleet")
    monkeypatch.chdir(found)
    monkeypatch.setenv(age.IDENTITY, str(tmp_path / "identity.txt"))
    return found


@pytest.fixture
def fleet(folder: Path) -> Fleet:
    fill(load(folder))
    return load(folder)


def ops_(*words: str) -> Result:
    return CliRunner().invoke(cli, ["secrets", *words], catch_exceptions=False)


def add_key(folder: Path, name: str) -> None:
    with (folder / "inventory" / "keys.toml").open("a") as file:
        file.write(f"\n[keys.{name}]\n")


def encrypted(fleet: Fleet) -> str:
    """Encrypt the secrets to this user; return the public key."""
    public = age.make_identity()
    age.keep_recipients(fleet, [public])
    store.encrypt(fleet)
    return public


def test_an_old_copy_of_the_secrets_never_gets_into_issued_toml(fleet: Fleet) -> None:
    old = store.plain(fleet).read_text()
    fill(fleet, replace=["fra1/reality"])
    newer = issued.path(fleet).read_text()
    store.plain(fleet).write_text(old)
    add_key(fleet.folder, "carol")
    now = load(fleet.folder)
    with pytest.raises(SecretsError, match=r"older than issued.toml: fra1/reality .*colleague"):
        fill(now)
    assert issued.path(fleet).read_text() == newer
    assert store.plain(fleet).read_text() == old
    assert fill(now, replace=["fra1/reality"])


def serving(monkeypatch: pytest.MonkeyPatch, configs: dict[str, str]) -> None:
    """Stand in for the servers: `cat` of their configs."""
    answers = Outcomes(results=configs, failures=())
    monkeypatch.setattr(reading, "run_on_hosts", lambda *_, **__: answers)


def configs_of(fleet: Fleet) -> dict[str, str]:
    known = secrets.load(fleet)
    return {host.name: render(fleet, host, known) for host in fleet.hosts}


def test_recovery_takes_no_key_that_was_replaced_since(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving(monkeypatch, configs_of(fleet))
    fill(fleet, replace=["fra1/reality"])
    newer = issued.path(fleet).read_text()
    store.plain(fleet).unlink()
    found = recover(load(fleet.folder), fleet.hosts, deadline=1)
    assert [line for line in found.conflicts if "fra1/reality: private_key" in line]
    assert "alice: uuid" in found.recovered
    assert issued.path(fleet).read_text() == newer


def test_a_lost_identity_does_not_stand_in_the_way_of_recovery(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = secrets.load(fleet)
    serving(monkeypatch, configs_of(fleet))
    encrypted(fleet)
    sealed = store.encrypted(fleet).read_bytes()
    age.identity_file().unlink()
    age.make_identity()
    refused = ops_("recover")
    assert refused.exit_code == 1
    assert "`ops secrets recover --afresh` begins without it" in refused.stderr
    assert store.encrypted(fleet).read_bytes() == sealed
    done = ops_("recover", "--afresh")
    assert done.exit_code == 0
    assert "secrets.toml.age.unopened is the file that could not be opened" in done.stderr
    assert (fleet.folder / "inventory" / "secrets.toml.age.unopened").read_bytes() == sealed
    assert secrets.load(fleet) == before


def test_secrets_that_can_be_opened_are_not_set_aside(fleet: Fleet) -> None:
    encrypted(fleet)
    refused = ops_("recover", "--afresh")
    assert refused.exit_code == 2
    assert "can be opened: leave --afresh out" in refused.stderr
    assert store.encrypted(fleet).exists()


def test_encrypting_twice_changes_nothing(fleet: Fleet) -> None:
    encrypted(fleet)
    before = store.encrypted(fleet).read_bytes()
    again = ops_("encrypt")
    assert "is encrypted to 1 recipient already: nothing was changed" in again.stdout
    assert store.encrypted(fleet).read_bytes() == before


def test_a_recipient_who_was_written_down_by_hand_is_encrypted_to(fleet: Fleet) -> None:
    mine = encrypted(fleet)
    colleague = pyrage.x25519.Identity.generate()
    age.keep_recipients(fleet, [mine, str(colleague.to_public())])
    assert "is encrypted to 2 recipients: commit it" in ops_("encrypt").stdout
    assert pyrage.decrypt(store.encrypted(fleet).read_bytes(), [colleague])


def test_identity_shows_the_public_key_each_time(folder: Path) -> None:
    first, second = ops_("identity"), ops_("identity")
    assert first.exit_code == second.exit_code == 0
    public = first.stdout.split()[-1]
    assert public.startswith("age1")
    assert second.stdout.split()[-1] == public


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no age file, or is damaged"),
        (b"\0\1\2", "is no age file, or is damaged"),
        (b"<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> b\n", "`ops secrets merge` puts them together"),
    ],
)
def test_an_encrypted_file_that_is_none_is_a_sentence(
    fleet: Fleet, content: bytes, said: str
) -> None:
    encrypted(fleet)
    store.encrypted(fleet).write_bytes(content)
    with pytest.raises(SecretsError, match=said):
        secrets.load(fleet)


@pytest.mark.parametrize("text", ["keys = 1", "[keys]\nalice = 1", "hosts = []", "[other]\na = 1"])
def test_secrets_of_another_shape_are_told_and_kept(fleet: Fleet, text: str) -> None:
    store.plain(fleet).write_text(text)
    for work in (fill, secrets.load):
        with pytest.raises(FleetError, match=r"secrets.toml:\d"):
            work(fleet)
    assert store.plain(fleet).read_text() == text


def test_names_that_left_are_told_and_forgotten_on_demand(fleet: Fleet) -> None:
    text = fleets.KEYS.replace("[keys.bob]", "[keys.carol]")
    fleets.write(
        fleet.folder, hosts=fleets.HOSTS.replace("[hosts.fra1]", "[hosts.par1]"), keys=text
    )
    gone = load(fleet.folder)
    said = ops_("fill").stderr
    assert "secrets of names that left the fleet: bob, fra1/reality (" in said
    assert departed(gone) == ["bob", "fra1/reality"]
    before = secrets.load(gone)
    done = ops_("forget", "bob", "fra1")
    assert done.exit_code == 0
    assert "deleted bob: uuid" in done.stdout
    after = secrets.load(load(fleet.folder))
    assert departed(gone) == []
    assert set(before.keys) - set(after.keys) == {"bob"}
    assert after.keys["alice"] == before.keys["alice"]
    assert "fra1" not in issued.path(gone).read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alice", "alice is in the inventory: take it out first"),
        ("ams1", "ams1/reality is in the inventory: take it out first"),
        ("alise", "'alise' has no secrets here; did you mean 'alice'?"),
    ],
)
def test_what_is_in_the_fleet_is_not_forgotten(fleet: Fleet, name: str, said: str) -> None:
    before = store.plain(fleet).read_text()
    refused = ops_("forget", name)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert store.plain(fleet).read_text() == before


def test_links_of_one_host_do_not_need_the_secrets_of_another(fleet: Fleet) -> None:
    file = store.plain(fleet)
    lines = [line for line in file.read_text().splitlines() if "psk" not in line]
    file.write_text("\n".join(lines) + "\n")
    result = CliRunner().invoke(cli, ["link", "alice", "--host", "fra1"], catch_exceptions=False)
    assert result.exit_code == 0
    refused = CliRunner().invoke(cli, ["link", "alice"], catch_exceptions=False)
    assert refused.exit_code == 1
    assert list(
        links(fleet, fleet.keys[0], secrets.load(fleet), lambda host, *_: host.name == "fra1")
    )


def test_what_lacks_secrets_is_named_once_with_the_command(fleet: Fleet) -> None:
    add_key(fleet.folder, "carol")
    result = CliRunner().invoke(cli, ["validate", "--no-core"], catch_exceptions=False)
    assert result.stdout.count("the UUID of carol") == 1
    assert "`ops secrets fill`" in result.stdout


def git(folder: Path, *words: str) -> int:
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *settings, *words], cwd=folder, check=False, capture_output=True
    ).returncode


def commit(folder: Path, name: str) -> None:
    git(folder, "add", "-A")
    assert git(folder, "commit", "-m", name) == 0


@pytest.fixture
def torn(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """A fleet to which two people added a key each, in the middle of the merge."""
    public = encrypted(fleet)
    folder = fleet.folder
    git(folder, "init")
    commit(folder, "first")
    git(folder, "checkout", "-b", "theirs")
    add_key(folder, "dave")
    fill(load(folder), replace=["bob"])
    age.keep_recipients(fleet, [public, str(pyrage.x25519.Identity.generate().to_public())])
    store.write(fleet, store.read(fleet))
    commit(folder, "dave")
    git(folder, "checkout", "main")
    add_key(folder, "carol")
    fill(load(folder))
    age.keep_recipients(fleet, [str(pyrage.x25519.Identity.generate().to_public()), public])
    store.write(fleet, store.read(fleet))
    commit(folder, "carol")
    assert git(folder, "merge", "theirs")
    return fleet


def test_what_two_people_did_to_the_secrets_is_put_together(torn: Fleet) -> None:
    done = ops_("merge")
    assert done.exit_code == 0, done.stderr
    add = (torn.folder / "inventory" / "keys.toml").read_text()
    lines = [line for line in add.splitlines() if line[:7] not in ("<<<<<<<", "=======", ">>>>>>>")]
    (torn.folder / "inventory" / "keys.toml").write_text("\n".join(lines) + "\n")
    fleet = load(torn.folder)
    held = secrets.load(fleet).keys
    assert held["carol"].uuid
    assert held["dave"].uuid
    assert fill(fleet) == []
    assert len(age.recipients(fleet)) == 3
    assert store.is_encrypted_to_all(fleet)
    assert {"carol", "dave"} <= {place[1] for place in issued.places(fleet)}


def test_a_secret_that_both_replaced_is_asked_about(
    torn: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(torn.folder, "merge", "--abort")
    fill(load(torn.folder), replace=["bob"])
    commit(torn.folder, "bob")
    mine = secrets.load(torn).keys["bob"]
    assert git(torn.folder, "merge", "theirs")
    before = store.encrypted(torn).read_bytes()
    refused = ops_("merge")
    assert refused.exit_code == 1
    assert "both sides changed bob: uuid: decide with --take" in refused.stderr
    assert store.encrypted(torn).read_bytes() == before
    assert ops_("merge", "--take", "ours").exit_code == 0
    assert mine.uuid in store.read(torn)


def test_where_nothing_is_torn_there_is_nothing_to_merge(fleet: Fleet) -> None:
    refused = ops_("merge")
    assert refused.exit_code == 2
    assert "there is nothing to merge" in refused.stderr
