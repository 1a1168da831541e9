"""Compare routing rules: their conditions, their networks, and rules that cover other rules."""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from ops.config.lint.positions import Path
from ops.config.lint.views import ranges, texts

Network = IPv4Network | IPv6Network

PROBES = (
    "127.0.0.1/32",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
"""Networks that a guard must block: this machine, private networks, and a cloud's metadata."""
_CONDITIONS = (
    ("domain", "domains"),
    ("ip",),
    ("port",),
    ("network",),
    ("sourceIP", "source"),
    ("sourcePort",),
    ("user",),
    ("inboundTag",),
    ("protocol",),
    ("attrs",),
    ("vlessRoute",),
    ("localIP",),
    ("localPort",),
    ("process",),
    ("localOS",),
)


_PORTS = {"port", "sourcePort", "vlessRoute", "localPort"}
"""Conditions with ranges of numbers, ``low-high``."""


@dataclass(frozen=True)
class RouteView:
    """A view of a routing rule, which matches if all its conditions hold."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @property
    def outbound(self) -> str:
        """Return the tag of its outbound; empty if it has a balancer."""
        tag: str = self.data.get("outboundTag", "")
        return tag

    @cached_property
    def inbounds(self) -> tuple[str, ...]:
        """Return the tags of its inbounds; none means every inbound."""
        return texts(self.data.get("inboundTag"))

    @cached_property
    def conditions(self) -> dict[str, frozenset[str]]:
        """Return the entries of each condition; a condition holds if one of its entries matches.

        Conditions that always hold are left out.
        """
        conditions = {}
        for names in _CONDITIONS:
            value = next((self.data[name] for name in reversed(names) if name in self.data), None)
            if isinstance(value, dict):
                entries = frozenset(f"{key}={entry}" for key, entry in value.items())
            elif names[0] in _PORTS:
                entries = frozenset(f"{low}-{high}" for low, high in ranges(value))
            else:
                entries = frozenset(
                    entry.lower() if names[0] == "network" else entry for entry in texts(value)
                )
            if entries and not _every(names[0], entries):
                conditions[names[0]] = entries
        return conditions

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """Return its networks; ``geoip:private`` becomes ``PROBES``."""
        networks: list[Network] = []
        for text in self.conditions.get("ip", ()):
            names = PROBES if text.lower() == "geoip:private" else (text,)
            networks += [network for network in map(network_of, names) if network]
        return tuple(networks)

    def covers(self, other: "RouteView") -> bool:
        """Return whether this rule matches everything that *other* matches."""
        for name, entries in self.conditions.items():
            theirs = other.conditions.get(name)
            if theirs is None:
                return False
            if name in _PORTS:
                if not all(any(_in(one, mine) for mine in entries) for one in theirs):
                    return False
            elif name == "ip":
                if not (theirs <= entries or self.guards(other.networks, len(theirs))):
                    return False
            elif not theirs <= entries:
                return False
        return True

    def has_port(self, port: int) -> bool:
        """Return whether its condition ``port`` matches *port*."""
        return any(_in(f"{port}-{port}", mine) for mine in self.conditions.get("port", ()))

    def guards(self, networks: tuple[Network, ...], count: int) -> bool:
        """Return whether this rule contains each of *networks*.

        *count* is the number of entries that *networks* come from. If it is higher, some entries
        are not networks, and the answer is no.
        """
        return len(networks) >= count > 0 and all(
            any(within(network, mine) for mine in self.networks) for network in networks
        )


@lru_cache(maxsize=4096)
def network_of(text: str) -> Network | None:
    """Return *text* as a network; None if it is not one."""
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def within(network: Network, other: Network) -> bool:
    """Return whether *other* contains all of *network*."""
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)


def _in(one: str, other: str) -> bool:
    """Return whether the range *other* contains the range *one*."""
    low, high = map(int, one.split("-"))
    least, most = map(int, other.split("-"))
    return least <= low and high <= most


def _every(condition: str, entries: frozenset[str]) -> bool:
    """Return whether *entries* of *condition* match everything."""
    if condition == "network":
        return entries >= {"tcp", "udp"}
    if condition in _PORTS:
        return any(_in("1-65535", mine) for mine in entries)
    return condition == "ip" and entries >= {"0.0.0.0/0", "::/0"}
