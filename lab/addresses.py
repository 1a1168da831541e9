"""Who has which address. Pure: a lab's number gives them all."""

from dataclasses import dataclass
from ipaddress import IPv6Address

TARGET4 = "44.0.0.1"
"""A public-looking address: Xray keeps its users from private ones."""
TARGET6 = "2001:db8:44::1"
TARGETS4 = "44.0.0.0/24"
TARGETS6 = "2001:db8:44::/64"

SITE = "www.example.com"
"""A TLS 1.3 web site in the world, for REALITY to borrow."""
TARGET = "target.example.com"
"""The world's payload server."""
LOOPBACK = "loopback.example.com"
"""A name that resolves to 127.0.0.1, as an attacker's would."""

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
        """Return the lab's v4 network."""
        return f"10.123.{self.number}.0/24"

    @property
    def block6(self) -> str:
        """Return the lab's v6 network."""
        return f"fd0a:7b:{self.number}::/64"

    @property
    def machine(self) -> tuple[str, str]:
        """Return the addresses of the machine that carries the lab."""
        return self._pair(1)

    @property
    def world(self) -> tuple[str, str]:
        """Return the addresses by which the world hangs on the lab's network."""
        return self._pair(2)

    def host(self, index: int) -> tuple[str, str]:
        """Return the addresses of lab1, lab2 and so on, v4 and v6."""
        return self._pair(10 + index)

    def _pair(self, last: int) -> tuple[str, str]:
        # ssh compares the text of addresses, so v6 is always in its canonical form.
        return f"10.123.{self.number}.{last}", str(IPv6Address(f"fd0a:7b:{self.number}::{last}"))


def public_name(host: str) -> str:
    """Return the name that clients dial and that the host's certificate carries."""
    return f"{host}.example.net"


def hosts_file(own: dict[str, tuple[str, str]]) -> str:
    """Return an ``/etc/hosts`` with the names in *own* and those of the world."""
    lines = ["127.0.0.1 localhost", "::1 localhost", f"127.0.0.1 {LOOPBACK}"]
    lines += [f"{address} {SITE} {TARGET}" for address in (TARGET4, TARGET6)]
    for name, pair in own.items():
        lines += [f"{address} {name} {public_name(name)}" for address in pair]
    return "\n".join(lines) + "\n"
