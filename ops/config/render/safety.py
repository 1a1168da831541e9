"""Block users of a proxy from private networks and from the host itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from ipaddress import (
    IPv4Network,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any

from ops.model import Core, Host

PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/127",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
)
"""The core's own list of private networks (docs/xray.md, private networks).

It is written out, because ``geoip:private`` needs a data file, and the core does not start without
that file. IPv4-mapped IPv6 addresses need no entry: the core treats them as IPv4.
"""

_NETWORKS = tuple(ip_network(network) for network in PRIVATE)
_GUARDS_ITS_WAY_OUT = (26, 5, 3)
"""The first core with ``finalRules`` in its freedom outbound (docs/xray.md, private networks)."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """Networks and names that no user may reach, in the form of the core's routing rules."""

    addresses: tuple[str, ...]
    names: tuple[str, ...]


def guarded(host: Host, own_addresses: Iterable[str]) -> Guarded:
    """Return the networks and names that users of *host* may not reach.

    Names of WebSocket inbounds are not blocked: they may belong to a CDN, with a public site behind
    them. If such a name leads to the host itself, the address of the host is blocked anyway.

    Args:
        host: the host, with the names and addresses that clients dial.
        own_addresses: the addresses of the host's interfaces, as read on it. For addresses that
            change by themselves (IPv6 privacy addresses), their network.
    """
    networks = (_network(text) for text in (*host.address, *own_addresses))
    own = {network for network in networks if network and not _private(network)}
    v4 = collapse_addresses(network for network in own if isinstance(network, IPv4Network))
    v6 = collapse_addresses(network for network in own if isinstance(network, IPv6Network))
    fronted = {i.server_name.lower() for i in host.inbounds if i.transport == "ws"}
    names = {name.lower() for name in host.address if not _network(name)} - fronted
    return Guarded(
        addresses=PRIVATE + tuple(map(str, (*v4, *v6))),
        names=tuple(f"full:{name}" for name in sorted(names)),
    )


def final_rules(guard: Guarded) -> list[dict[str, Any]]:
    """Return the ``finalRules`` of the freedom outbound; they check the address that it dials."""
    return [{"action": "block", "ip": guard.addresses}]


def sniffing(core: Core) -> dict[str, Any]:
    """Return the ``sniffing`` settings of inbounds on *core*.

    With a sniffed name, routing ignores the dialled address. A connection to 127.0.0.1 with
    ``Host: example.com`` passes a rule on addresses (docs/xray.md, sniffing). Only
    :func:`final_rules` block it. An older core has none, so it sniffs no names there, and rules
    on domains do not match connections to an address.
    """
    guards = tuple(map(int, core.version.split("."))) >= _GUARDS_ITS_WAY_OUT
    names = ["http", "tls", "quic"] if guards else []
    return {"enabled": True, "destOverride": names, "routeOnly": True}


def _private(network: IPv4Network | IPv6Network) -> bool:
    """Return whether one of the private networks contains all of *network*."""
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _NETWORKS
    )


@cache
def _network(text: str) -> IPv4Network | IPv6Network | None:
    """Return *text*, an address or network, as a network; None if it is a name.

    The text of an interface, such as 2a00::1/64, means its one address.

    >>> _network("2a00::/64"), _network("2a00::1/64"), _network("::ffff:8.8.4.4")
    (IPv6Network('2a00::/64'), IPv6Network('2a00::1/128'), IPv4Network('8.8.4.4/32'))
    """
    address, _, prefix = text.partition("/")
    try:
        one = ip_address(address.split("%")[0])
        whole = ip_interface(f"{one}/{prefix or one.max_prefixlen}").network
    except ValueError:
        return None
    if whole.network_address == one:
        return ip_network(getattr(one, "ipv4_mapped", None) or whole)
    return ip_network(one)
