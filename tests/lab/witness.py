"""What a host shows of the set that it has: whether it is the same, and whether it serves."""

from lab import Host
from ops.model import layout
from ops.servers.on_host import places
from tests.lab.operator import Operator

MIB = 1 << 20
NO_V6 = "ipv6 = false\n"
"""A change of a host that its core cannot take in while it runs."""


def life(host: Host) -> str:
    """Return what changes when the core is started anew."""
    return host.run("systemctl show xray -p MainPID,InvocationID").stdout


def config(host: Host) -> str:
    """Return the digest of the file, of what the core was started on, and of what is half done."""
    words = f"sha256sum < {layout.CONFIG}; sha256sum < {places.STARTED_CONFIG}; ls {places.STATE}"
    return host.run(words).stdout


def serves(operator: Operator, host: str, key: str = "alice") -> bool:
    """Return whether *key* gets what it asks for through *host*."""
    with operator.client(key, host) as client:
        return client.send(down=MIB).down == MIB


def program(host: Host) -> str:
    """Return the program that runs as the core."""
    words = "readlink /proc/$(systemctl show xray -p MainPID --value)/exe"
    return host.run(words, check=False).stdout
