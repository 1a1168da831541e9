"""What proxied users may not reach: private networks, and the host they go through."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from ops.model import Fleet, Host

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
_EXCLUDES_FROM_SNIFFING = (26, 4, 13)
"""The first core that knows ``ipsExcluded``."""


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
        own_addresses: those of the host's interfaces, as read on it.
    """
    literal = {address for text in host.address if (address := _address(text))}
    own = literal | {address for text in own_addresses if (address := _address(text))}
    lasting = sorted(
        (address for address in own if not _private(address)),
        key=lambda address: (address.version, int(address)),
    )
    fronted = {i.server_name.lower() for i in host.inbounds if i.transport == "ws"}
    names = {name.lower() for name in host.address if not _address(name)} - fronted
    return Guarded(
        addresses=PRIVATE + tuple(f"{a}/{a.max_prefixlen}" for a in lasting),
        names=tuple(f"full:{name}" for name in sorted(names)),
    )


def sniffing(fleet: Fleet, guard: Guarded) -> dict[str, Any]:
    """Return how inbounds look into connections for the name they are meant for.

    A name found there is what address rules look at, in place of the address that is dialled: a
    user who dials 127.0.0.1 and says ``Host: example.com`` would pass them. Guarded addresses are
    therefore left out of it; a core too old for that learns the protocol and no names.
    """
    if tuple(map(int, fleet.core.version.split("."))) < _EXCLUDES_FROM_SNIFFING:
        return {"enabled": True, "destOverride": [], "routeOnly": True}
    return {
        "enabled": True,
        "destOverride": ["http", "tls", "quic"],
        "routeOnly": True,
        "ipsExcluded": guard.addresses,
    }


def _private(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _NETWORKS if network.version == address.version)


@cache
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in *text*, with or without zone and prefix; None if it is a name."""
    try:
        address = ip_address(text.split("/")[0].split("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
