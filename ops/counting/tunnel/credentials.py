"""The private ssh keys of this machine's user, parsed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import asyncssh

from ops.files import expand_home, read_bytes

DEFAULTS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_LARGEST = 1 << 20
"""Bytes; a key has some thousands."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What to prove ourselves with: keys from files, and which of the agent's."""

    keys: tuple[asyncssh.SSHKey, ...]
    of_agent: tuple[bytes, ...] | None
    """The public halves of the agent's keys that may be used; None for all, () for none."""
    locked: tuple[str, ...] = ()
    """The files that need a passphrase: their keys can come from the agent alone."""
    halves: tuple[bytes, ...] = ()
    """The public halves of the keys in files, in the order of the files."""
    named: bool = False
    """Whether somebody named the files."""


NOBODY = Credentials(keys=(), of_agent=())
"""For a handshake without a login."""


def credentials(files: Sequence[str], *, only: bool) -> Credentials:
    """Return the credentials in *files*, or in the usual places if there are none.

    With *only*, the agent is asked for nothing but what these files name and do not give.
    Files that are not there are passed over, as OpenSSH does. Raise ValueError for one that
    holds no ssh key.
    """
    paths = [expand_home(file) for file in files or DEFAULTS]
    found = {path: _private_key(path, _stamp(path)) for path in paths if path.is_file()}
    locked = tuple(path for path, key in found.items() if key is None)
    halves = (key.public_data if key else _public_half(path) for path, key in found.items())
    return Credentials(
        keys=tuple(key for key in found.values() if key),
        of_agent=tuple(filter(None, map(_public_half, locked))) if only else None,
        locked=tuple(map(str, locked)),
        halves=tuple(filter(None, halves)),
        named=bool(files),
    )


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes whenever the file at *path* does."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)
def _private_key(path: Path, stamp: tuple[int, int]) -> asyncssh.SSHKey | None:
    """Return the key in *path*, or None if only an agent can use it.

    That is one with a passphrase, one in hardware, or the mere public half of one.
    """
    try:
        return asyncssh.import_private_key(read_bytes(path, _LARGEST))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if _public_half(path) is None and "assphrase" not in str(error):
            raise ValueError(f"{path} holds no ssh key that can be read ({error})") from None
        return None


def _public_half(path: Path) -> bytes | None:
    """Return the public half of the key in *path*; OpenSSH's own format keeps it in clear."""
    for file in (path, path.with_name(path.name + ".pub")):
        try:
            return asyncssh.import_public_key(read_bytes(file, _LARGEST)).public_data
        except (asyncssh.KeyImportError, FileNotFoundError):
            continue
    return None
