"""Encrypt the secrets to several people with age (pyrage), and decrypt them."""

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
"""The environment variable with the path of the user's age identity."""
_HEADER = "# Who can read secrets.toml.age: age or ssh public keys, one a line. Commit this file.\n"


def identity_file() -> Path:
    """Return the file of this user's age identity. It can be missing."""
    path = os.environ.get(IDENTITY)
    return Path(path) if path else config_folder() / "identity.txt"


def make_identity() -> str:
    """Make an age identity for this user; return its public key. SecretsError if there is one."""
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
    """Return the public key of this user's identity, for `ops secrets recipients --add`."""
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
    """Return the number of recipients in the header of *sealed*, which is not encrypted."""
    lines = sealed.split(b"\n")
    armoured = lines[0].startswith(b"-----BEGIN")
    try:
        header = base64.b64decode(b"".join(lines[1:-2])) if armoured else sealed
    except ValueError:
        return 0
    lines = header.partition(b"\n--- ")[0].split(b"\n")
    return sum(line.startswith((b"-> X25519 ", b"-> ssh-")) for line in lines)


def recipients_file(fleet: Fleet) -> Path:
    """Return the path of recipients.txt, the list of the recipients' public keys."""
    return fleet.folder / "inventory" / "recipients.txt"


def recipients(fleet: Fleet) -> list[str]:
    """Return the public keys of the recipients of the secrets."""
    return keys_in(listed(recipients_file(fleet)))


def listed(file: Path) -> str:
    """Return the text of *file*, a list of recipients; empty if the file is missing."""
    return read_text(file) if exists(file) else ""


def keys_in(lines: str) -> list[str]:
    """Return the public keys in *lines*, the text of a list of recipients."""
    stripped = (line.strip() for line in lines.splitlines())
    return list(dict.fromkeys(line for line in stripped if line and not line.startswith("#")))


def listing(public_keys: list[str]) -> bytes:
    """Return the content of recipients.txt for *public_keys*."""
    return (_HEADER + "".join(f"{public_key}\n" for public_key in public_keys)).encode()


def check(public_keys: list[str]) -> None:
    """Raise SecretsError if one of *public_keys* is no public key."""
    for public_key in public_keys:
        _recipient(public_key)


def keep_recipients(fleet: Fleet, public_keys: list[str]) -> None:
    """Write *public_keys* to recipients.txt."""
    write_atomically(recipients_file(fleet), listing(public_keys))


def encrypt(secrets: str, public_keys: list[str]) -> bytes:
    """Return *secrets* encrypted to all *public_keys*, as armoured text."""
    if not public_keys:
        raise SecretsError(
            "nobody could read the encrypted secrets: name yourself first, "
            "`ops secrets recipients --add PUBLIC-KEY` (`ops secrets identity` makes one)"
        )
    keys = [_recipient(key) for key in public_keys]
    return bytes(pyrage.encrypt(secrets.encode(), keys, armored=True))


def decrypt(file: Path) -> str:
    """Return the text in the encrypted *file*, decrypted with this user's identity."""
    return opened(file, read_bytes(file))


def opened(file: Path, sealed: bytes) -> str:
    """Return the text in *sealed*, the content of *file*, decrypted with this user's identity."""
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
    """Raise SecretsError if this user's identity cannot decrypt *sealed*."""
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
        content = read_bytes(file)
    except OSError as error:
        raise SecretsError(
            f"encrypted secrets need your age identity, and {shown_path(file)} {reason(error)[0]}: "
            f"put it there, or its path into ${IDENTITY}; `ops secrets identity` makes one"
        ) from None
    identities = _identities_in(content)
    if not identities:
        raise SecretsError(
            f"{shown_path(file)} holds no age identity, and no ssh key without a passphrase: "
            "`ops secrets identity` makes one"
        )
    return identities


def _identities_in(content: bytes) -> "list[pyrage.x25519.Identity | pyrage.ssh.Identity]":
    try:
        if b"OPENSSH PRIVATE KEY" in content:
            return [pyrage.ssh.Identity.from_buffer(content)]
        lines = content.decode().split()
        return [pyrage.x25519.Identity.from_str(x) for x in lines if x.startswith("AGE-SECRET")]
    except (pyrage.IdentityError, UnicodeDecodeError):
        return []
