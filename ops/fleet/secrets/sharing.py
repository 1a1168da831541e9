"""The people that can read the encrypted secrets: the recipients."""

from collections.abc import Collection, Iterable
from pathlib import Path

from ops.errors import SecretsError
from ops.files import locked
from ops.fleet.secrets import age, store
from ops.model import Fleet


def change_recipients(fleet: Fleet, add: Iterable[str], remove: Collection[str]) -> list[str]:
    """Add and remove public keys; existing secrets are encrypted again. Return the recipients.

    Raises SecretsError if a key to remove is no recipient, or a key to add is no public key.
    """
    with locked(fleet.folder / "inventory"):
        before = age.recipients(fleet)
        if missing := [key for key in remove if key not in before]:
            raise SecretsError(f"{missing[0]!r} is not among the recipients: nothing was changed")
        wanted = [key for key in dict.fromkeys([*before, *add]) if key not in remove]
        if wanted != before:
            text = store.read(fleet)
            age.check(wanted)
            if store.path(fleet) == store.encrypted(fleet):
                store.write_to(fleet, text, wanted)
            age.keep_recipients(fleet, wanted)
        return wanted


def encrypt(fleet: Fleet) -> tuple[Path, bool]:
    """Encrypt the plain secrets to all recipients, and remove the plain file.

    Returns the encrypted file, and whether anything was changed.
    """
    with locked(fleet.folder / "inventory"):
        if store.is_encrypted_to_all(fleet):
            return store.encrypted(fleet), False
        return store.encrypt(fleet), True
