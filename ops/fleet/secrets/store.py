"""Where secrets lie: one file, plain and private, or encrypted to the fleet's age recipients."""

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
    """Return where the plain file lies, if it is there."""
    return fleet.folder / "inventory" / "secrets.toml"


def encrypted(fleet: Fleet) -> Path:
    """Return where the encrypted file lies, if it is there."""
    return fleet.folder / "inventory" / "secrets.toml.age"


def path(fleet: Fleet) -> Path | None:
    """Return the file that holds the secrets, or None; both at once is an error."""
    found = [file for file in (plain(fleet), encrypted(fleet)) if exists(file)]
    if len(found) > 1:
        raise SecretsError(
            f"{shown_path(found[0])} and {shown_path(found[1])} are both there, and may differ: "
            "delete the one that is out of date"
        )
    return found[0] if found else None


def read(fleet: Fleet) -> str:
    """Return the text of the secrets; nothing if they were never made."""
    file = path(fleet)
    if file is None:
        return ""
    if file == encrypted(fleet):
        return age.decrypt(file)
    _must_be_private(file)
    return decode_text(file, read_bytes(file))


def document(fleet: Fleet) -> tomlkit.TOMLDocument:
    """Return the secrets as a document to edit; FleetError with the line if it is none."""
    text = read(fleet)
    found = checked(
        parse_toml(shown_path(path(fleet) or plain(fleet)), text, secret=True), SecretsFile
    )
    if found.problems:
        raise FleetError(found.problems)
    return tomlkit.parse(text)


def write(fleet: Fleet, text: str) -> None:
    """Keep *text* as the secrets, in the form they were in; plain if they are new."""
    if path(fleet) == encrypted(fleet):
        write_to(fleet, text, age.recipients(fleet))
    else:
        write_atomically(plain(fleet), text.encode(), mode=0o600)


def write_to(fleet: Fleet, text: str, public_keys: list[str]) -> None:
    """Keep *text* as the secrets, encrypted to *public_keys*; not if we could not read it then."""
    sealed = age.encrypt(text, public_keys)
    age.must_open(sealed)
    write_atomically(encrypted(fleet), sealed)


def is_encrypted_to_all(fleet: Fleet) -> bool:
    """Return whether the secrets are encrypted already, to as many as recipients.txt lists."""
    if path(fleet) != encrypted(fleet):
        return False
    return age.count_readers(read_bytes(encrypted(fleet))) == len(age.recipients(fleet))


def is_open(fleet: Fleet) -> bool:
    """Return whether the secrets that are here can be read by this user."""
    try:
        read(fleet)
    except SecretsError:
        return False
    return True


def set_aside(fleet: Fleet) -> Path:
    """Rename the encrypted file, which nobody here can open; return its new name."""
    file = encrypted(fleet)
    aside = file.with_name(f"{file.name}.unopened")
    if exists(aside):
        raise SecretsError(
            f"{shown_path(aside)} is there already: move it away; nothing was changed"
        )
    file.rename(aside)
    return aside


def encrypt(fleet: Fleet) -> Path:
    """Encrypt the secrets to the fleet's recipients, and remove the plain file."""
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
