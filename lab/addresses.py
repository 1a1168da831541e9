"""The addresses and names of a lab. All addresses follow from the number of the lab."""

from dataclasses import dataclass
from ipaddress import IPv6Address

TARGET4 = "44.0.0.1"
"""An address that looks public, because our config closes private addresses to users."""
TARGET6 = "2001:db8:44::1"
TARGETS4 = "44.0.0.0/24"
TARGETS6 = "2001:db8:44::/64"

SITE = "www.example.com"
"""A web site with TLS 1.3 in the world: the target of REALITY inbounds."""
TARGET = "target.example.com"
"""The world's payload server."""
LOOPBACK = "loopback.example.com"
"""A name that resolves to 127.0.0.1, like the name of an attacker."""

MOST_HOSTS = 200


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses of one lab: 10.123.N.0/24 and fd0a:7b:N::/64.

    >>> Network(0).host(1)
    ('10.123.0.11', 'fd0a:7b::11')
    """

    number: int

    @property
    def block4(self) -> str:
        """Return the IPv4 network of the lab."""
        return f"10.123.{self.number}.0/24"

    @property
    def block6(self) -> str:
        """Return the IPv6 network of the lab."""
        return f"fd0a:7b:{self.number}::/64"

    @property
    def machine(self) -> tuple[str, str]:
        """Return the addresses of the machine that runs the lab."""
        return self._pair(1)

    @property
    def world(self) -> tuple[str, str]:
        """Return the addresses of the world on the lab's network."""
        return self._pair(2)

    def host(self, index: int) -> tuple[str, str]:
        """Return the IPv4 and IPv6 address of a host. The *index* of lab1 is 1."""
        return self._pair(10 + index)

    def _pair(self, last: int) -> tuple[str, str]:
        # ssh compares addresses as text, so IPv6 addresses are in their canonical form.
        return f"10.123.{self.number}.{last}", str(IPv6Address(f"fd0a:7b:{self.number}::{last}"))


def public_name(host: str) -> str:
    """Return the name for clients, which is in the host's certificate."""
    return f"{host}.example.net"


def hosts_file(own: dict[str, tuple[str, str]]) -> str:
    """Return the text of an ``/etc/hosts`` with the names in *own* and those of the world."""
    lines = ["127.0.0.1 localhost", "::1 localhost", f"127.0.0.1 {LOOPBACK}"]
    lines += [f"{address} {SITE} {TARGET}" for address in (TARGET4, TARGET6)]
    for name, pair in own.items():
        lines += [f"{address} {name} {public_name(name)}" for address in pair]
    return "\n".join(lines) + "\n"
