"""Encrypt to several people, decrypt as one of them: age, by pyrage."""

import base64
import os
from pathlib import Path

import pyrage

from ops.errors import SecretsError
from ops.files import (
    config_folder,
    conflict_line,
    decode_text,
    exists,
    make_folder,
    read_bytes,
    read_text,
    reason,
    shown_path,
    write_atomically,
)
from ops.model import Fleet

_X25519 = pyrage.x25519.Identity
IDENTITY = "OPS_AGE_IDENTITY"
"""Environment variable: the file of the age identity to decrypt with."""
_HEADER = "# Who can read secrets.toml.age: age or ssh public keys, one a line. Commit this file.\n"


def identity_file() -> Path:
    """Return the file of this user's age identity; it may be missing."""
    said = os.environ.get(IDENTITY)
    return Path(said) if said else config_folder() / "identity.txt"


def make_identity() -> str:
    """Make this user's age identity where there is none; return its public half."""
    file = identity_file()
    if exists(file):
        raise SecretsError(
            f"{shown_path(file)} is there already: it may be all that opens your secrets"
        )
    identity = pyrage.x25519.Identity.generate()
    make_folder(file.parent)
    public = str(identity.to_public())
    write_atomically(file, f"# public key: {public}\n{identity}\n".encode(), mode=0o600)
    return public


def public_half() -> str:
    """Return the public key of this user's identity, as `recipients --add` takes it."""
    file = identity_file()
    public = file.with_name(f"{file.name}.pub")
    keys = [str(one.to_public()) for one in _identities() if isinstance(one, _X25519)]
    if not keys and exists(public):  # an ssh key
        keys = read_text(public).splitlines()
    if not keys:
        raise SecretsError(
            f"{shown_path(file)} is an ssh key: `ssh-keygen -y -f` prints its public one"
        )
    return keys[0]


def count_readers(sealed: bytes) -> int:
    """Return to how many *sealed* is encrypted; its header says so in clear."""
    lines = sealed.split(b"\n")
    armoured = lines[0].startswith(b"-----BEGIN")
    try:
        header = base64.b64decode(b"".join(lines[1:-2])) if armoured else sealed
    except ValueError:
        return 0
    lines = header.partition(b"\n--- ")[0].split(b"\n")
    return sum(line.startswith((b"-> X25519 ", b"-> ssh-")) for line in lines)


def recipients_file(fleet: Fleet) -> Path:
    """Return the file that lists who can read the fleet's secrets."""
    return fleet.folder / "inventory" / "recipients.txt"


def recipients(fleet: Fleet) -> list[str]:
    """Return who can read the fleet's secrets, as public keys."""
    return keys_in(listed(recipients_file(fleet)))


def listed(file: Path) -> str:
    """Return the text of *file*, a list of recipients; nothing if it is not there."""
    return read_text(file) if exists(file) else ""


def keys_in(lines: str) -> list[str]:
    """Return the public keys in *lines*, the text of a list of recipients."""
    found = (line.strip() for line in lines.splitlines())
    return list(dict.fromkeys(line for line in found if line and not line.startswith("#")))


def listing(public_keys: list[str]) -> bytes:
    """Return the list of recipients with *public_keys*, as it is written."""
    return (_HEADER + "".join(f"{public_key}\n" for public_key in public_keys)).encode()


def check(public_keys: list[str]) -> None:
    """Raise SecretsError if one of *public_keys* is none."""
    for public_key in public_keys:
        _recipient(public_key)


def keep_recipients(fleet: Fleet, public_keys: list[str]) -> None:
    """Write down who can read the fleet's secrets."""
    write_atomically(recipients_file(fleet), listing(public_keys))


def encrypt(secrets: str, public_keys: list[str]) -> bytes:
    """Return *secrets* encrypted so that each holder of one of *public_keys* can read it."""
    if not public_keys:
        raise SecretsError(
            "nobody could read the encrypted secrets: name yourself first, "
            "`ops secrets recipients --add PUBLIC-KEY` (`ops secrets identity` makes one)"
        )
    keys = [_recipient(key) for key in public_keys]
    return bytes(pyrage.encrypt(secrets.encode(), keys, armored=True))


def decrypt(file: Path) -> str:
    """Return the text that *file* holds, read with this user's identity."""
    return opened(file, read_bytes(file))


def opened(file: Path, sealed: bytes) -> str:
    """Return the text in *sealed*, which is what *file* holds, read with this user's identity."""
    if line := conflict_line(sealed):
        raise SecretsError(
            f"{shown_path(file)}:{line}: two people changed the secrets, and git left both: "
            "`ops secrets merge` puts them together"
        )
    identities = _identities()
    try:
        return decode_text(file, pyrage.decrypt(sealed, identities))
    except pyrage.DecryptError as error:
        if "matching" not in str(error):
            raise SecretsError(
                f"{shown_path(file)} is no age file, or is damaged ({error}): get it from git again"
            ) from None
        raise SecretsError(
            f"{shown_path(file)} is not encrypted to the identity in "
            f"{shown_path(identity_file())}: ask a colleague to "
            "`ops secrets recipients --add` your public key"
        ) from None


def must_open(sealed: bytes) -> None:
    """Raise SecretsError where this user's identity does not open *sealed*."""
    try:
        pyrage.decrypt(sealed, _identities())
    except pyrage.DecryptError:
        raise SecretsError(
            f"you could not read the secrets yourself then: {shown_path(identity_file())} is the "
            "identity of none of the recipients. `ops secrets recipients --add` its public key; "
            "nothing was changed"
        ) from None


def _recipient(public_key: str) -> "pyrage.x25519.Recipient | pyrage.ssh.Recipient":
    room = pyrage.ssh if public_key.startswith("ssh-") else pyrage.x25519
    try:
        return room.Recipient.from_str(public_key)
    except pyrage.RecipientError:
        raise SecretsError(
            f"{public_key!r} is no public key: an age one begins with age1, an ssh one with ssh-"
        ) from None


def _identities() -> "list[pyrage.x25519.Identity | pyrage.ssh.Identity]":
    file = identity_file()
    try:
        held = read_bytes(file)
    except OSError as error:
        raise SecretsError(
            f"encrypted secrets need your age identity, and {shown_path(file)} {reason(error)[0]}: "
            f"put it there, or its path into ${IDENTITY}; `ops secrets identity` makes one"
        ) from None
    found = _identities_in(held)
    if not found:
        raise SecretsError(
            f"{shown_path(file)} holds no age identity, and no ssh key without a passphrase: "
            "`ops secrets identity` makes one"
        )
    return found


def _identities_in(held: bytes) -> "list[pyrage.x25519.Identity | pyrage.ssh.Identity]":
    try:
        if b"OPENSSH PRIVATE KEY" in held:
            return [pyrage.ssh.Identity.from_buffer(held)]
        lines = held.decode().split()
        return [pyrage.x25519.Identity.from_str(x) for x in lines if x.startswith("AGE-SECRET")]
    except (pyrage.IdentityError, UnicodeDecodeError):
        return []
