"""The file of the secrets: plain and private, or encrypted to the fleet's age recipients."""

import stat
from pathlib import Path

import tomlkit

from ops.errors import FleetError, SecretsError
from ops.files import decode_text, exists, must_be_file, read_bytes, shown_path, write_atomically
from ops.fleet.inventory.pydantic_errors import checked
from ops.fleet.inventory.shape import SecretsFile
from ops.fleet.inventory.toml import parse_document as parse_toml
from ops.fleet.secrets import age
from ops.model import Fleet


def plain(fleet: Fleet) -> Path:
    """Return the path of the plain file. It can be missing."""
    return fleet.folder / "inventory" / "secrets.toml"


def encrypted(fleet: Fleet) -> Path:
    """Return the path of the encrypted file. It can be missing."""
    return fleet.folder / "inventory" / "secrets.toml.age"


def path(fleet: Fleet) -> Path | None:
    """Return the file of the secrets, or None; SecretsError if there are both files."""
    existing = [file for file in (plain(fleet), encrypted(fleet)) if exists(file)]
    if len(existing) > 1:
        raise SecretsError(
            f"{shown_path(existing[0])} and {shown_path(existing[1])} are both there, and may "
            "differ: delete the one that is out of date"
        )
    return existing[0] if existing else None


def read(fleet: Fleet) -> str:
    """Return the text of the secrets; empty if there is no file."""
    file = path(fleet)
    if file is None:
        return ""
    if file == encrypted(fleet):
        return age.decrypt(file)
    _must_be_private(file)
    return decode_text(file, read_bytes(file))


def document(fleet: Fleet) -> tomlkit.TOMLDocument:
    """Return the secrets as a document to edit; FleetError if the file is wrong."""
    text = read(fleet)
    result = checked(
        parse_toml(shown_path(path(fleet) or plain(fleet)), text, secret=True), SecretsFile
    )
    if result.problems:
        raise FleetError(result.problems)
    return tomlkit.parse(text)


def write(fleet: Fleet, text: str) -> None:
    """Write *text* as the secrets: encrypted if they are encrypted now, else plain."""
    if path(fleet) == encrypted(fleet):
        write_to(fleet, text, age.recipients(fleet))
    else:
        write_atomically(plain(fleet), text.encode(), mode=0o600)


def write_to(fleet: Fleet, text: str, public_keys: list[str]) -> None:
    """Write *text* as the secrets, encrypted to *public_keys*.

    SecretsError if this user could not decrypt them; nothing is written then.
    """
    sealed = age.encrypt(text, public_keys)
    age.must_open(sealed)
    write_atomically(encrypted(fleet), sealed)


def is_encrypted_to_all(fleet: Fleet) -> bool:
    """Return whether the secrets are encrypted to as many people as recipients.txt lists."""
    if path(fleet) != encrypted(fleet):
        return False
    return age.count_readers(read_bytes(encrypted(fleet))) == len(age.recipients(fleet))


def is_open(fleet: Fleet) -> bool:
    """Return whether this user can read the secrets."""
    try:
        read(fleet)
    except SecretsError:
        return False
    return True


def set_aside(fleet: Fleet) -> Path:
    """Rename the encrypted file, which this user cannot open; return its new path."""
    file = encrypted(fleet)
    aside = file.with_name(f"{file.name}.unopened")
    if exists(aside):
        raise SecretsError(
            f"{shown_path(aside)} is there already: move it away; nothing was changed"
        )
    file.rename(aside)
    return aside


def encrypt(fleet: Fleet) -> Path:
    """Encrypt the secrets to the fleet's recipients, delete the plain file, and return the path."""
    text = read(fleet)
    if not text:
        raise SecretsError("there are no secrets to encrypt; `ops secrets fill` makes them")
    write_to(fleet, text, age.recipients(fleet))
    plain(fleet).unlink(missing_ok=True)
    return encrypted(fleet)


def _must_be_private(file: Path) -> None:
    must_be_file(file)
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        raise SecretsError(
            f"{shown_path(file)} can be read by others (mode {mode:04o}): chmod 600 it"
        )
