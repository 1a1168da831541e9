"""Share links, as apps read them.

The form of VLESS and Trojan links is XTLS's proposal (Xray-core issue 91 and discussion 716),
that of Shadowsocks links SIP002, whose 2022 keys are percent-encoded and not base64 (SIP022).
"""

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import quote

from ops.config.links.proofs import proof, reality
from ops.model import Fleet, Host, Inbound, Key, Secrets, opens

TRANSPORT = {"raw": "tcp"}
"""Where links call a transport otherwise: older apps know no ``raw``."""
ALPN = {"raw": "h2,http/1.1", "ws": "http/1.1"}
"""What clients offer inside TLS, by transport; HTTP/2 would break WebSocket."""

Wanted = Callable[[Host, Inbound, str], bool]
"""Tells of a host, an inbound of it and an address whether their link is asked for."""


class Link(NamedTuple):
    """A link, and what it leads to. Its repr does not hold the link, which is a secret."""

    host: Host
    inbound: Inbound
    address: str
    url: str

    def __repr__(self) -> str:
        return f"Link({self.host.name}/{self.inbound.name}, {self.address})"


def _every(host: Host, inbound: Inbound, address: str) -> bool:
    return True


def links(fleet: Fleet, key: Key, secrets: Secrets, is_wanted: Wanted = _every) -> Iterator[Link]:
    """Yield the links of *key*: host by host, inbound by inbound, address by address.

    Secrets of a link that is not wanted are not asked for.

    Raises:
        SecretsError: *secrets* lacks what a link needs.
    """
    for host in fleet.hosts:
        for inbound in host.inbounds if host.state == "up" else ():
            if not opens(key, host, inbound):
                continue
            for address in host.address:
                if not is_wanted(host, inbound, address):
                    continue
                url = link(fleet, host, inbound, key, secrets, address)
                yield Link(host, inbound, address, url)


def link(
    fleet: Fleet, host: Host, inbound: Inbound, key: Key, secrets: Secrets, address: str
) -> str:
    """Return the link with which *key* enters *inbound* of *host* by way of *address*.

    Raises:
        SecretsError: *secrets* lacks what the link needs.
    """
    scheme = {"shadowsocks": "ss"}.get(inbound.protocol, inbound.protocol)
    method = f"{inbound.method}:" if inbound.protocol == "shadowsocks" else ""
    secret = method + _encoded(proof(host, inbound, key, secrets))
    given = {k: v for k, v in _parameters(fleet, host, inbound, secrets).items() if v}
    query = "&".join(f"{name}={_encoded(value)}" for name, value in given.items())
    place = f"{_bracketed(address)}:{inbound.dialled_port}" + (f"?{query}" if query else "")
    return f"{scheme}://{secret}@{place}#{_name(host, inbound, key, address)}"


def _parameters(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> dict[str, str]:
    """Return the part of a link after its question mark; what is empty is left out of it."""
    if inbound.protocol == "shadowsocks":
        return {}
    return {
        "encryption": "none" if inbound.protocol == "vless" else "",
        "type": TRANSPORT.get(inbound.transport, inbound.transport),
        "security": inbound.security,
        **(
            _reality(fleet, host, inbound, secrets)
            if inbound.security == "reality"
            else _tls(inbound)
        ),
        "host": inbound.server_name if inbound.transport == "ws" else "",
        "path": inbound.path,
        "mode": "auto" if inbound.transport == "xhttp" else "",
        "flow": inbound.flow,
    }


def _reality(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> dict[str, str]:
    public_key, short_id = reality(fleet, host, inbound, secrets)
    return {
        "sni": inbound.server_names[0],
        "fp": inbound.fingerprint,
        "pbk": public_key,
        "sid": short_id,
        "spx": "/",
        # mihomo leaves ML-KEM out unless a link asks for it, and REALITY then takes it for a
        # stranger: cores from 26.9.8 on want it. Other apps skip the parameter.
        "support-x25519mlkem768": "true",
    }


def _tls(inbound: Inbound) -> dict[str, str]:
    return {
        "sni": inbound.server_name,
        "fp": inbound.fingerprint,
        "alpn": ALPN[inbound.transport],
    }


def _name(host: Host, inbound: Inbound, key: Key, address: str) -> str:
    """Return what the app calls it; with the address where there are several to tell apart."""
    apart = f" {address}" if len(host.address) > 1 else ""
    return _encoded(f"{key.name}@{host.name}/{inbound.name}{apart}")


def _bracketed(address: str) -> str:
    """Return *address* as it stands before a port: IPv6 in brackets, names in ASCII."""
    try:
        return f"[{address}]" if ip_address(address).version == 6 else address
    except ValueError:
        return address.encode("idna").decode()


def _encoded(value: str) -> str:
    """Return *value* as JavaScript's encodeURIComponent would write it."""
    return quote(value, safe="!'()*")
