"""Tell pyinfra of jump hosts the only way it listens: by an ssh config file.

pyinfra has no host data for a jump host. The file holds nothing secret, is the same for the same
fleet, and ends by including the user's own, so that what people set there still holds.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from ops.files import replace
from ops.model import Fleet, Host


def ssh_config(fleet: Fleet) -> Path | None:
    """Return the ssh config that leads to the hosts behind jump hosts; None if there are none.

    In it a host goes by its own name, for two networks may use the same addresses.
    """
    behind = [host for host in fleet.hosts if host.ssh.jump]
    if not behind:
        return None
    lines = [line for host in behind for line in _way(host)]
    for jump, key in dict.fromkeys((host.ssh.jump, host.ssh.key) for host in behind):
        lines += _hop(jump, key, fleet.known_hosts)
    text = "\n".join([*lines, "Host *", "  Include ~/.ssh/config", ""])
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = platformdirs.user_cache_path("xray-ops") / "ssh" / f"{name}.conf"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(file, text.encode(), mode=0o600)
    return file


def _way(host: Host) -> Iterator[str]:
    yield f"Host {host.name}"
    yield f"  HostName {host.ssh.hostname or host.name}"
    yield f"  ProxyJump {host.ssh.jump}"


def _hop(jump: str, key: str, known_hosts: Path) -> Iterator[str]:
    """A jump host is held to the fleet's known hosts like any other."""
    yield f"Host {jump.rpartition('@')[2].partition(':')[0]}"
    yield "  StrictHostKeyChecking yes"
    yield f"  UserKnownHostsFile {known_hosts}"
    if key:
        yield f"  IdentityFile {key}"
