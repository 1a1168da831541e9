"""Share links, and the secrets inside them.

VLESS and Trojan links follow XTLS's proposal (Xray-core issue 91 and discussion 716). Shadowsocks
links follow SIP002; their 2022 keys are percent-encoded, not base64 (SIP022).
"""

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import quote

from ops.errors import SecretsError
from ops.model import (
    Fleet,
    Host,
    Inbound,
    InboundSecrets,
    Key,
    KeySecrets,
    Secrets,
    opens,
    psk_for,
)

TRANSPORT = {"raw": "tcp"}
"""The name of a transport in links, if it differs: older apps do not know ``raw``."""
ALPN = {"raw": "h2,http/1.1", "ws": "http/1.1"}
"""The ALPN names of clients, by transport; with HTTP/2, WebSocket would not work."""

Wanted = Callable[[Host, Inbound, str], bool]
"""Returns whether the caller wants the link to an inbound of a host by an address."""


class Link(NamedTuple):
    """A link, with its host, inbound and address. Its repr omits the link, which is a secret."""

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

    A link that *is_wanted* refuses needs no secrets.

    Raises:
        SecretsError: a secret of a wanted link is missing.
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
    """Return the link for *key* to *inbound* of *host*, with *address* as the server.

    Raises:
        SecretsError: a secret of the link is missing.
    """
    scheme = {"shadowsocks": "ss"}.get(inbound.protocol, inbound.protocol)
    method = f"{inbound.method}:" if inbound.protocol == "shadowsocks" else ""
    secret = method + _encoded(proof(host, inbound, key, secrets))
    parameters = _parameters(fleet, host, inbound, secrets)
    query = "&".join(f"{name}={_encoded(value)}" for name, value in parameters.items() if value)
    place = f"{_bracketed(address)}:{inbound.dialled_port}" + (f"?{query}" if query else "")
    return f"{scheme}://{secret}@{place}#{_name(host, inbound, key, address)}"


def _parameters(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> dict[str, str]:
    """Return the parameters of a link; the link omits those with an empty value."""
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
    public_key, short_id = reality_of(fleet, host, inbound, secrets)
    return {
        "sni": inbound.server_names[0],
        "fp": inbound.fingerprint,
        "pbk": public_key,
        "sid": short_id,
        "spx": "/",
        # mihomo sends no ML-KEM unless the link asks for it, and REALITY of core 26.9.8 or newer
        # refuses such a client (docs/xray.md, REALITY clients). Other apps ignore the parameter.
        "support-x25519mlkem768": "true",
    }


def _tls(inbound: Inbound) -> dict[str, str]:
    return {
        "sni": inbound.server_name,
        "fp": inbound.fingerprint,
        "alpn": ALPN[inbound.transport],
    }


def _name(host: Host, inbound: Inbound, key: Key, address: str) -> str:
    """Return the name of the link in an app; it holds the address if the host has several."""
    apart = f" {address}" if len(host.address) > 1 else ""
    return _encoded(f"{key.name}@{host.name}/{inbound.name}{apart}")


def _bracketed(address: str) -> str:
    """Return *address* in the form before a port: IPv6 in brackets, names in ASCII."""
    try:
        return f"[{address}]" if ip_address(address).version == 6 else address
    except ValueError:
        return address.encode("idna").decode()


def _encoded(value: str) -> str:
    """Return *value* percent-encoded as by JavaScript's encodeURIComponent."""
    return quote(value, safe="!'()*")


def proof(host: Host, inbound: Inbound, key: Key, secrets: Secrets) -> str:
    """Return the secret of *key* for *inbound*: a UUID, a password, or two PSKs.

    The PSKs are the server's and the key's, joined by a colon.

    Raises:
        SecretsError: the secret is missing.
    """
    own = secrets.keys.get(key.name, KeySecrets())
    if inbound.protocol == "vless":
        return _required(own.uuid, f"UUID of key {key.name}")
    if inbound.protocol == "trojan":
        return _required(own.password, f"password of key {key.name}")
    halves = (
        _required(_inbound_secrets(host, inbound, secrets).psk, f"PSK of {_place(host, inbound)}"),
        _required(own.psk, f"PSK of key {key.name}"),
    )
    return ":".join(psk_for(inbound.method, half) for half in halves)


def reality_of(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> tuple[str, str]:
    """Return the REALITY public key and the short id for clients of *inbound*.

    Raises:
        SecretsError: one of them is missing.
    """
    place = _place(host, inbound)
    short_ids = _inbound_secrets(host, inbound, secrets).short_ids
    if not short_ids:
        raise _missing(f"REALITY short id of {place}")
    public_key = fleet.public_keys.get((host.name, inbound.name), "")
    return _required(public_key, f"REALITY public key of {place}"), short_ids[0]


def _place(host: Host, inbound: Inbound) -> str:
    return f"{host.name}/{inbound.name}"


def _inbound_secrets(host: Host, inbound: Inbound, secrets: Secrets) -> InboundSecrets:
    return secrets.inbounds.get((host.name, inbound.name), InboundSecrets())


def _required(secret: str, name: str) -> str:
    if not secret:
        raise _missing(name)
    return secret


def _missing(name: str) -> SecretsError:
    return SecretsError(
        f"the {name} is not known here: `ops secrets fill` makes secrets that never existed, "
        "`ops secrets recover` reads back those that the servers have"
    )
