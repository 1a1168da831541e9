"""The ssh config file that gives pyinfra the jump hosts of the fleet.

pyinfra has no host data for a jump host, and it asks whether to trust an unknown one. The file
holds no secret and is the same for the same fleet. It ends with an include of the user's own ssh
config.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ops.errors import FleetError, Problem
from ops.files import cache_folder, expand_home, make_folder, shown_path, write_atomically
from ops.fleet.inventory import ssh_names
from ops.model import Fleet, Host, Ssh

_PLAIN = re.compile(r"[\w./+,@=:-]+")
_SPACED = re.compile(r"[\w ./+,@=:-]+")
"""Paths that paramiko reads without changes. It replaces ``~`` and ``%`` everywhere and knows no
escape. It splits only a list of known_hosts files at spaces."""


def ssh_config(fleet: Fleet) -> Path | None:
    """Write the ssh config that checks every jump host against the fleet's known_hosts.

    Return its path, or None if there can be no jump host. A host behind a jump host keeps its own
    name, because two networks can use the same addresses.

    Raises:
        FleetError: a path on this machine cannot be written in an ssh config.
    """
    behind = [host for host in fleet.hosts if host.ssh.jump]
    if not behind and not expand_home("~/.ssh/config").exists():
        return None
    known = ssh_names.settings() if behind else []
    lines = [line for host in behind for line in _way(host, known)]
    jumps = (host.ssh.jump_host for host in behind)
    for jump in dict.fromkeys(jump for jump in jumps if jump):
        lines += _hop(jump)
    strict = ["  StrictHostKeyChecking yes", f"  UserKnownHostsFile {_known(fleet, behind)}"]
    text = "\n".join([*lines, "Host *", *strict, "  Include ~/.ssh/config", ""])
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = cache_folder() / "ssh" / f"{name}.conf"
    make_folder(file.parent)
    write_atomically(file, text.encode(), mode=0o600)
    return file


def _way(host: Host, known: list[ssh_names.Setting]) -> Iterator[str]:
    """Yield the lines of *host*. Its name in ssh's config is resolved here, not by pyinfra."""
    hostname = host.ssh.hostname or host.name
    hostname, port = ssh_names.place(hostname, known) or (hostname, ssh_names.PORT)
    yield f"Host {host.name}"
    yield f"  HostName {hostname}"
    if port != ssh_names.PORT and not host.ssh.port:
        yield f"  Port {port}"
    yield f"  ProxyJump {_jump(host.ssh)}"


def _jump(ssh: Ssh) -> str:
    """Return the jump host in pyinfra's form: an IPv6 address without brackets and port."""
    jump = ssh.jump_host
    if jump and ":" in jump.hostname:
        return f"{jump.user}@{jump.hostname}" if jump.user else jump.hostname
    return ssh.jump


def _hop(jump: Ssh) -> Iterator[str]:
    yield f"Host {jump.hostname}"
    if jump.port and ":" in jump.hostname:
        yield f"  Port {jump.port}"
    if jump.key:
        yield f"  IdentityFile {_path(jump.key, _SPACED)}"


def _known(fleet: Fleet, behind: Sequence[Host]) -> str:
    """Return the path of the fleet's known_hosts.

    If pyinfra cannot read the path, and the fleet has no jump host, return ``/dev/null``. Jump
    hosts of ``~/.ssh/config`` are then refused.
    """
    path = str(fleet.known_hosts)
    return _path(path, _PLAIN) if behind or _PLAIN.fullmatch(path) else os.devnull


def _path(text: str, plain: re.Pattern[str]) -> str:
    if not plain.fullmatch(text):
        message = "this path leads to hosts behind a jump host, and pyinfra cannot read all of it"
        remedy = "use letters, digits and . _ + , @ = : - / alone"
        raise FleetError([Problem(shown_path(Path(text)), 0, message, remedy)])
    return text
