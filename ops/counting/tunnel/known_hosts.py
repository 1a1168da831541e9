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
    """The host keys trusted for one host, as asyncssh takes them without parsing a file."""

    known_hosts: tuple[Any, ...]
    """Host keys, CA keys, revoked keys, and the same of X.509."""
    server_host_key_algs: list[str]
    """The kinds that are trusted first, as OpenSSH asks for them. The others are asked for, too:
    a server with only another kind then shows it and is refused as changed, not as deaf."""


def check_known_hosts(path: Path) -> None:
    """Raise FleetError if *path* cannot be understood, or not by both asyncssh and pyinfra."""
    _known(path)


def trusted_keys(path: Path, hostname: str, port: int) -> Trusted | None:
    """Return what *path* says of *hostname* at *port*, or None if it does not name it."""
    # By name only, as OpenSSH and paramiko do. Told a port, asyncssh would also take a line for
    # port 22 of the same name, which is another server's.
    found = _known(path).match(pattern(hostname, port), "", None)
    kinds = [kind.decode() for key in found[0] for kind in key.sig_algorithms]
    kinds = [kind for kind in kinds if kind in KINDS]
    return Trusted(found, list(dict.fromkeys([*kinds, *KINDS]))) if found[0] else None


def _known(path: Path) -> asyncssh.SSHKnownHosts:
    try:
        found = path.stat()
    except FileNotFoundError:
        return asyncssh.SSHKnownHosts()
    return _read(path, (found.st_mtime_ns, found.st_size))


def pattern(hostname: str, port: int) -> str:
    """Return how a line of known_hosts names *hostname* at *port*.

    >>> pattern("192.0.2.7", 22), pattern("192.0.2.7", 2222)
    ('192.0.2.7', '[192.0.2.7]:2222')
    """
    return hostname if port == 22 else f"[{hostname}]:{port}"


@lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple[int, int]) -> asyncssh.SSHKnownHosts:
    """Parse *path*; *stamp* changes whenever the file does."""
    lines = read_text(path).splitlines()
    if found := list(known_hosts.problems(str(path), lines)):
        raise FleetError(found)
    try:
        return asyncssh.import_known_hosts("\n".join(lines))
    except ValueError as error:
        raise FleetError([Problem(str(path), 0, str(error), "mend or remove that line")]) from None
