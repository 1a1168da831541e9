"""Secrets are made once, kept private, and never replaced unasked."""

import stat
from pathlib import Path

import pyrage
import pytest

from ops.errors import FleetError, OpsError, SecretsError, UsageError
from ops.files import locked
from ops.fleet import secrets
from ops.fleet.inventory import load
from ops.fleet.secrets import age, store
from ops.fleet.secrets.fill import fill
from ops.fleet.secrets.reality import public_key
from ops.model import Fleet
from tests import fleets


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return load(fleets.write(tmp_path))


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make an age identity for whoever runs this; the value is its public key."""
    monkeypatch.setenv(age.IDENTITY, str(tmp_path / "identity.txt"))
    return age.make_identity()


def edited(fleet: Fleet, old: str, new: str) -> None:
    file = store.plain(fleet)
    file.write_text(file.read_text().replace(old, new))


def test_fill_makes_what_the_inbounds_of_each_key_need(fleet: Fleet) -> None:
    made = fill(fleet)
    assert "alice: password" in made
    assert "bob: uuid" in made
    assert "bob: password" not in made
    assert "fra1/reality: private_key" in made


def test_filling_twice_makes_nothing_new(fleet: Fleet) -> None:
    fill(fleet)
    before = store.plain(fleet).read_text()
    assert fill(fleet) == []
    assert store.plain(fleet).read_text() == before


def test_the_file_is_private_from_its_first_byte(fleet: Fleet) -> None:
    fill(fleet)
    assert stat.S_IMODE(store.plain(fleet).stat().st_mode) == 0o600


def test_a_file_others_can_read_is_refused(fleet: Fleet) -> None:
    fill(fleet)
    store.plain(fleet).chmod(0o644)
    with pytest.raises(SecretsError, match=r"can be read by others .mode 0644.: chmod 600"):
        secrets.load(fleet)


def test_a_clone_without_the_file_cannot_make_new_secrets(fleet: Fleet) -> None:
    fill(fleet)
    store.plain(fleet).unlink()
    with pytest.raises(SecretsError, match=r"would cut people off: get secrets.toml from"):
        fill(fleet)
    assert not store.plain(fleet).exists()


def test_a_file_that_is_no_toml_is_named_with_its_line(fleet: Fleet) -> None:
    fill(fleet)
    store.plain(fleet).write_text("x = [\n")
    with pytest.raises(FleetError, match=r"secrets.toml:\d+: is not TOML"):
        fill(fleet)


def test_one_lost_secret_is_not_made_anew_either(fleet: Fleet) -> None:
    fill(fleet)
    psk = secrets.load(fleet).keys["alice"].psk
    edited(fleet, f'psk = "{psk}"\n', "")
    with pytest.raises(SecretsError, match="not here: alice: psk"):
        fill(fleet)


def test_a_key_is_replaced_when_asked_and_nobody_else_is(fleet: Fleet) -> None:
    fill(fleet)
    before = secrets.load(fleet)
    assert fill(fleet, replace=["bob"]) == ["bob: uuid"]
    after = secrets.load(fleet)
    assert after.keys["bob"] != before.keys["bob"]
    assert after.keys["alice"] == before.keys["alice"]


@pytest.mark.parametrize("field", ["uuid", "password", "psk"])
def test_what_is_wrong_with_a_keys_secret_says_what_to_type(fleet: Fleet, field: str) -> None:
    fill(fleet)
    edited(fleet, getattr(secrets.load(fleet).keys["alice"], field), "wrong")
    typed = "`ops secrets fill --replace alice` makes another"
    with pytest.raises(FleetError, match=f"the {field} of 'alice' .*; .*{typed}"):
        secrets.load(fleet)
    fill(fleet, replace=["alice"])
    secrets.load(fleet)


def test_secrets_that_are_wrong_are_replaced_one_after_the_other(fleet: Fleet) -> None:
    fill(fleet)
    for inbound in (held := secrets.load(fleet).inbounds):
        if held[inbound].private_key:
            edited(fleet, held[inbound].private_key, "wrong")
    typed = "`ops secrets fill --replace ams1/reality` makes another"
    with pytest.raises(FleetError, match=f"private_key of 'ams1/reality' .*; .*{typed}"):
        secrets.load(fleet)
    fill(fleet, replace=["ams1/reality"])
    with pytest.raises(FleetError, match="private_key of 'fra1/reality'"):
        secrets.load(fleet)
    fill(fleet, replace=["fra1/reality"])
    secrets.load(load(fleet.folder))


def test_replacing_what_is_not_there_is_a_usage_error(fleet: Fleet) -> None:
    with pytest.raises(UsageError, match="'bobb' has no secrets to replace; did you mean 'bob'"):
        fill(fleet, replace=["bobb"])


def test_the_public_half_of_reality_is_committed(fleet: Fleet) -> None:
    fill(fleet)
    private = secrets.load(fleet).inbounds["fra1", "reality"].private_key
    assert load(fleet.folder).public_keys["fra1", "reality"] == public_key(private)


def test_another_private_key_than_the_committed_public_one_is_refused(fleet: Fleet) -> None:
    fill(fleet)
    ours = secrets.load(fleet).inbounds
    edited(fleet, ours["fra1", "reality"].private_key, ours["ams1", "reality"].private_key)
    with pytest.raises(FleetError, match="fra1/reality: this is not the private key of the public"):
        secrets.load(load(fleet.folder))


def test_uuids_that_differ_only_in_the_third_group_are_one_to_the_core(fleet: Fleet) -> None:
    fill(fleet)
    known = secrets.load(fleet).keys
    first, second, _, *rest = known["alice"].uuid.split("-")
    edited(fleet, known["bob"].uuid, "-".join([first, second, "4fff", *rest]))
    with pytest.raises(FleetError, match="'bob' and 'alice' have UUIDs that the core takes for"):
        secrets.load(fleet)


@pytest.mark.parametrize("field", ["uuid", "psk", "password"])
def test_no_secret_is_repeated_in_a_message_or_a_repr(fleet: Fleet, field: str) -> None:
    fill(fleet)
    secret = getattr(secrets.load(fleet).keys["alice"], field)
    assert secret not in repr(secrets.load(fleet).keys["alice"])
    edited(fleet, f'{field} = "{secret}"', f'{field} = ["{secret}"]')
    with pytest.raises(OpsError) as caught:
        secrets.load(fleet)
    assert field in str(caught.value)
    assert secret not in str(caught.value)


def test_encrypted_secrets_are_read_by_each_recipient(
    fleet: Fleet, identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colleague = pyrage.x25519.Identity.generate()
    age.keep_recipients(fleet, [identity, str(colleague.to_public())])
    fill(fleet)
    before = secrets.load(fleet)
    store.encrypt(fleet)
    assert not store.plain(fleet).exists()
    assert secrets.load(fleet) == before
    (tmp_path / "theirs").write_text(str(colleague))
    monkeypatch.setenv(age.IDENTITY, str(tmp_path / "theirs"))
    assert secrets.load(fleet) == before


def test_who_is_no_recipient_is_told_what_to_ask_for(
    fleet: Fleet, identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    age.keep_recipients(fleet, [identity])
    fill(fleet)
    store.encrypt(fleet)
    monkeypatch.setenv(age.IDENTITY, str(tmp_path / "other"))
    age.make_identity()
    with pytest.raises(SecretsError, match="ask a colleague to `ops secrets recipients --add`"):
        secrets.load(fleet)


def test_encrypting_to_nobody_is_refused_and_keeps_the_plain_file(fleet: Fleet) -> None:
    fill(fleet)
    with pytest.raises(SecretsError, match="nobody could read"):
        store.encrypt(fleet)
    assert store.plain(fleet).exists()


def test_nobody_locks_themselves_out(fleet: Fleet, identity: str) -> None:
    fill(fleet)
    colleague = str(pyrage.x25519.Identity.generate().to_public())
    age.keep_recipients(fleet, [colleague])
    with pytest.raises(SecretsError, match="you could not read the secrets yourself then"):
        store.encrypt(fleet)
    assert store.plain(fleet).exists()
    assert not store.encrypted(fleet).exists()


@pytest.mark.parametrize("held", ["nothing of the kind", "-----BEGIN OPENSSH PRIVATE KEY-----"])
def test_an_identity_that_is_none_is_told(
    fleet: Fleet, identity: str, tmp_path: Path, held: str
) -> None:
    age.keep_recipients(fleet, [identity])
    fill(fleet)
    store.encrypt(fleet)
    (tmp_path / "identity.txt").write_text(held)
    with pytest.raises(SecretsError, match="holds no age identity, and no ssh key without"):
        secrets.load(fleet)


def test_a_plain_and_an_encrypted_file_at_once_are_refused(fleet: Fleet, identity: str) -> None:
    age.keep_recipients(fleet, [identity])
    fill(fleet)
    text = store.plain(fleet).read_text()
    store.encrypt(fleet)
    store.plain(fleet).write_text(text)
    with pytest.raises(SecretsError, match="both there, and may differ"):
        secrets.load(fleet)


def test_whoever_waits_too_long_for_the_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    told = pytest.raises(OpsError, match="`ops secrets edit` is, while its editor is open")
    with locked(tmp_path), told, locked(tmp_path, patience=0):
        pass
