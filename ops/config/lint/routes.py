"""Routing rules: what they match, and what they leave for those after them."""

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
"""What every guard must cover: this machine, the networks beside it, a cloud's metadata."""
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
"""Conditions that are ranges of numbers, as ``low-high``."""


@dataclass(frozen=True)
class Route:
    """One routing rule; every condition that it names has to hold."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @property
    def outbound(self) -> str:
        """Return the tag it sends to; empty where that is a balancer."""
        tag: str = self.data.get("outboundTag", "")
        return tag

    @cached_property
    def inbounds(self) -> tuple[str, ...]:
        """Return the tags of the inbounds it is about; none is every one."""
        return texts(self.data.get("inboundTag"))

    @cached_property
    def conditions(self) -> dict[str, frozenset[str]]:
        """Return what has to match, by condition: any entry of each will do."""
        found = {}
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
                found[names[0]] = entries
        return found

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """Return the networks it names, ``geoip:private`` written out."""
        found = []
        for text in self.conditions.get("ip", ()):
            names = PROBES if text.lower() == "geoip:private" else (text,)
            found += [network for network in map(network_of, names) if network]
        return tuple(found)

    def covers(self, other: "Route") -> bool:
        """Return whether all that *other* matches is matched by this rule, too."""
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
        """Return whether its ``port`` lets *port* through."""
        return any(_in(f"{port}-{port}", mine) for mine in self.conditions.get("port", ()))

    def guards(self, networks: tuple[Network, ...], count: int) -> bool:
        """Return whether each of *networks*, *count* of them, lies in one of this rule's."""
        return len(networks) >= count > 0 and all(
            any(within(network, mine) for mine in self.networks) for network in networks
        )


@lru_cache(maxsize=4096)
def network_of(text: str) -> Network | None:
    """Return the network that *text* is; None if it is something else."""
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def within(network: Network, other: Network) -> bool:
    """Return whether all of *network* lies in *other*."""
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)


def _in(one: str, other: str) -> bool:
    """Return whether the range *one* lies in the range *other*."""
    low, high = map(int, one.split("-"))
    least, most = map(int, other.split("-"))
    return least <= low and high <= most


def _every(condition: str, entries: frozenset[str]) -> bool:
    """Return whether *entries* match everything, as if the condition were not there."""
    if condition == "network":
        return entries >= {"tcp", "udp"}
    if condition in _PORTS:
        return any(_in("1-65535", mine) for mine in entries)
    return condition == "ip" and entries >= {"0.0.0.0/0", "::/0"}
