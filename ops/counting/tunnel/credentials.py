"""The private ssh keys of this machine's user, parsed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import asyncssh

from ops.files import expand_home, read_bytes

DEFAULTS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_LARGEST = 1 << 20
"""Bytes of a key file; real ones have some thousands."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The ssh keys for a login: keys from files, and a choice among the agent's keys."""

    keys: tuple[asyncssh.SSHKey, ...]
    of_agent: tuple[bytes, ...] | None
    """Public halves of the agent's keys that may be used; None for all, () for none."""
    locked: tuple[str, ...] = ()
    """Files that need a passphrase; only the agent can use their keys."""
    public_halves: tuple[bytes, ...] = ()
    """Public halves of the keys in files, in the order of the files."""
    named: bool = False
    """Whether the inventory or the ssh config names the files; False for the default files."""


NO_LOGIN = Credentials(keys=(), of_agent=())
"""For a handshake without a login."""


def credentials(files: Sequence[str], *, only: bool) -> Credentials:
    """Return the credentials in *files*, or in the default files if *files* is empty.

    With *only*, the agent's keys are used only for files that need a passphrase. Missing files
    are skipped, as OpenSSH does. Raise ValueError for a file that holds no ssh key.
    """
    paths = [expand_home(file) for file in files or DEFAULTS]
    keys = {path: _private_key(path, _stamp(path)) for path in paths if path.is_file()}
    locked = tuple(path for path, key in keys.items() if key is None)
    halves = (key.public_data if key else _public_half(path) for path, key in keys.items())
    return Credentials(
        keys=tuple(key for key in keys.values() if key),
        of_agent=tuple(filter(None, map(_public_half, locked))) if only else None,
        locked=tuple(map(str, locked)),
        public_halves=tuple(filter(None, halves)),
        named=bool(files),
    )


def _stamp(path: Path) -> tuple[int, int]:
    """Return a value that changes when the file at *path* does."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=64)
def _private_key(path: Path, stamp: tuple[int, int]) -> asyncssh.SSHKey | None:
    """Return the key in *path*, or None if only an agent can use it.

    None is for a key with a passphrase, a key in hardware, and a file with the public half only.
    *stamp* is part of the cache's key.
    """
    try:
        return asyncssh.import_private_key(read_bytes(path, _LARGEST))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if _public_half(path) is None and "assphrase" not in str(error):
            raise ValueError(f"{path} holds no ssh key that can be read ({error})") from None
        return None


def _public_half(path: Path) -> bytes | None:
    """Return the public half of the key in *path* or in the ``.pub`` file beside it.

    In OpenSSH's own format the public half is readable without the passphrase.
    """
    for file in (path, path.with_name(path.name + ".pub")):
        try:
            return asyncssh.import_public_key(read_bytes(file, _LARGEST)).public_data
        except (asyncssh.KeyImportError, FileNotFoundError):
            continue
    return None
