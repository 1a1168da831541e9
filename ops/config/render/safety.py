"""What proxied users may not reach: private networks, and the host they go through."""

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
"""The core's own list (its ``common/geodata/consts.go``), written out: ``geoip:private`` needs a
data file, and without it the core refuses to start. IPv4-mapped addresses are IPv4 to the core."""

_NETWORKS = tuple(ip_network(network) for network in PRIVATE)
_GUARDS_ITS_WAY_OUT = (26, 5, 3)
"""The first core whose freedom outbound knows ``finalRules``."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """Networks, and names as the core matches them, that no proxied user may reach."""

    addresses: tuple[str, ...]
    names: tuple[str, ...]


def guarded(host: Host, own_addresses: Iterable[str]) -> Guarded:
    """Return what users of *host* may not reach.

    Names that a WebSocket inbound serves are left out: they may be a CDN's, with a site behind
    them that is everybody's. Where such a name leads to the host itself, its address is guarded.

    Args:
        host: gives the names and addresses that clients dial.
        own_addresses: those of the host's interfaces, as read on it. Where they change by
            themselves (IPv6 privacy addresses), their network.
    """
    found = (_network(text) for text in (*host.address, *own_addresses))
    own = {network for network in found if network and not _private(network)}
    v4 = collapse_addresses(network for network in own if isinstance(network, IPv4Network))
    v6 = collapse_addresses(network for network in own if isinstance(network, IPv6Network))
    fronted = {i.server_name.lower() for i in host.inbounds if i.transport == "ws"}
    names = {name.lower() for name in host.address if not _network(name)} - fronted
    return Guarded(
        addresses=PRIVATE + tuple(map(str, (*v4, *v6))),
        names=tuple(f"full:{name}" for name in sorted(names)),
    )


def final_rules(guard: Guarded) -> list[dict[str, Any]]:
    """Return what the core's freedom outbound checks last, by the address it is about to dial."""
    return [{"action": "block", "ip": guard.addresses}]


def sniffing(core: Core) -> dict[str, Any]:
    """Return how *core* looks into connections for the name they are meant for.

    Routing then looks at that name in place of what is dialled: a user who dials 127.0.0.1 and
    says ``Host: example.com`` passes the rule that guards addresses (run on 26.10.10). Only
    :func:`final_rules` stop that, so an older core looks for the protocol and for no name, and
    rules that name domains do not see those inside a connection to an address.
    """
    guards = tuple(map(int, core.version.split("."))) >= _GUARDS_ITS_WAY_OUT
    names = ["http", "tls", "quic"] if guards else []
    return {"enabled": True, "destOverride": names, "routeOnly": True}


def _private(network: IPv4Network | IPv6Network) -> bool:
    """Return whether all of *network* is on the list of private ones."""
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _NETWORKS
    )


@cache
def _network(text: str) -> IPv4Network | IPv6Network | None:
    """Return the network that *text* is, or that of its one address; None if it is a name.

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
