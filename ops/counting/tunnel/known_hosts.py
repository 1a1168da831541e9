"""The host keys that the fleet trusts, parsed once."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncssh

from ops.errors import FleetError, Problem
from ops.files import read_text
from ops.fleet.inventory import known_hosts

KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


@dataclass(frozen=True, slots=True)
class Trusted:
    """The host keys trusted for one host, in a form that asyncssh takes without parsing."""

    known_hosts: tuple[Any, ...]
    """Host keys, CA keys and revoked keys, and the same three of X.509."""
    server_host_key_algs: list[str]
    """Kinds of keys to ask for: the trusted kinds first, as OpenSSH does, then the others. A server
    that has only another kind is thus refused as changed, not as one without a common algorithm."""


def check_known_hosts(path: Path) -> None:
    """Raise FleetError if asyncssh or pyinfra cannot parse *path*."""
    _known(path)


def trusted_keys(path: Path, hostname: str, port: int) -> Trusted | None:
    """Return the keys that *path* has for *hostname* at *port*; None if it has none."""
    # By name only, as OpenSSH and paramiko do. With a port, asyncssh would also accept a line for
    # port 22 of the same name, and that is another server.
    matched = _known(path).match(pattern(hostname, port), "", None)
    kinds = [kind.decode() for key in matched[0] for kind in key.sig_algorithms]
    kinds = [kind for kind in kinds if kind in KINDS]
    return Trusted(matched, list(dict.fromkeys([*kinds, *KINDS]))) if matched[0] else None


def _known(path: Path) -> asyncssh.SSHKnownHosts:
    try:
        status = path.stat()
    except FileNotFoundError:
        return asyncssh.SSHKnownHosts()
    return _read(path, (status.st_mtime_ns, status.st_size))


def pattern(hostname: str, port: int) -> str:
    """Return the name of *hostname* at *port* in a line of known_hosts.

    >>> pattern("192.0.2.7", 22), pattern("192.0.2.7", 2222)
    ('192.0.2.7', '[192.0.2.7]:2222')
    """
    return hostname if port == 22 else f"[{hostname}]:{port}"


@lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple[int, int]) -> asyncssh.SSHKnownHosts:
    """Parse *path*; *stamp*, a part of the cache's key, changes when the file does."""
    lines = read_text(path).splitlines()
    if problems := list(known_hosts.problems(str(path), lines)):
        raise FleetError(problems)
    try:
        return asyncssh.import_known_hosts("\n".join(lines))
    except ValueError as error:
        raise FleetError([Problem(str(path), 0, str(error), "mend or remove that line")]) from None
