"""Whether a rendered inbound takes the clients that its links describe.

Links come from the inventory. A template of the fleet can make another inbound of the same data,
and then the core starts, is healthy, and nobody connects.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.config.links.share import ALPN
from ops.model import Inbound, InboundSecrets, psk_for

Path = tuple[str | int, ...]
Difference = tuple[Path, str]
"""The place inside the rendered inbound, and the difference there."""
_NETWORKS = {"tcp": "raw", "websocket": "ws", "splithttp": "xhttp", "": "raw"}
"""Other names that the core has for a transport."""
_SETTINGS = {"ws": ("wsSettings",), "xhttp": ("xhttpSettings", "splithttpSettings")}


def differences(
    inbound: Inbound, rendered: Mapping[str, Any], secrets: InboundSecrets
) -> Iterator[Difference]:
    """Yield each thing in *rendered* with which a link to *inbound* cannot work."""
    yield from _said(("protocol",), inbound.protocol, str(_at(rendered, "protocol") or "").lower())
    if not _is_behind_another(rendered):
        yield from _port(inbound, rendered)
        security = str(_at(rendered, "streamSettings", "security") or "none").lower()
        yield from _said(("streamSettings", "security"), inbound.security, security)
        yield from _alpn(inbound, rendered)
    yield from _transport(inbound, rendered)
    yield from _reality(inbound, rendered, secrets)
    yield from _users(inbound, rendered)
    yield from _shadowsocks(inbound, rendered, secrets)


def _said(place: Path, linked: object, rendered: object) -> Iterator[Difference]:
    if linked != rendered:
        yield place, f"links say {place[-1]} {linked!r}, and the config has {rendered!r}"


def _is_behind_another(rendered: Mapping[str, Any]) -> bool:
    """Return whether another program on the host takes the connections, and maybe ends TLS."""
    listen = str(_at(rendered, "listen") or "")
    return listen.startswith(("127.", "/", "@")) or listen in ("localhost", "::1")


def _port(inbound: Inbound, rendered: Mapping[str, Any]) -> Iterator[Difference]:
    port = str(_at(rendered, "port"))
    if inbound.public_port is None and port.isdecimal():
        yield from _said(("port",), inbound.port, int(port))


def _alpn(inbound: Inbound, rendered: Mapping[str, Any]) -> Iterator[Difference]:
    place = ("streamSettings", "tlsSettings", "alpn")
    offered = _list(_at(rendered, *place))
    asked = ALPN.get(inbound.transport, "").split(",")
    if inbound.security == "tls" and offered and not any(name in asked for name in offered):
        yield place, f"links offer alpn {', '.join(asked)}, and the config takes {offered}"


def _transport(inbound: Inbound, rendered: Mapping[str, Any]) -> Iterator[Difference]:
    network = str(_at(rendered, "streamSettings", "network") or "").lower()
    network = _NETWORKS.get(network, network)
    yield from _said(("streamSettings", "network"), inbound.transport, network)
    if network != inbound.transport:
        return
    for name in _SETTINGS.get(network, ()):
        settings = _at(rendered, "streamSettings", name)
        if isinstance(settings, dict):
            yield from _http(inbound, ("streamSettings", name), settings)
    place = ("streamSettings", "tcpSettings", "header", "type")
    if network == "raw" and _at(rendered, *place) not in (None, "", "none"):
        yield place, f"links know no header, and the config has {_at(rendered, *place)!r}"


def _http(inbound: Inbound, place: Path, settings: Mapping[str, Any]) -> Iterator[Difference]:
    path = str(settings.get("path") or "/").partition("?")[0]
    if _folder(path) != _folder(inbound.path):
        yield from _said((*place, "path"), inbound.path, path)
    host, asked = str(settings.get("host") or "").lower(), _host(inbound).lower()
    if host and host != asked:
        yield from _said((*place, "host"), asked, host)
    if settings.get("mode") == "packet-up":  # a client in REALITY sends one stream
        yield from _said((*place, "mode"), "auto", "packet-up")


def _folder(path: str) -> str:
    return path.strip("/")


def _host(inbound: Inbound) -> str:
    """Return the Host that clients send."""
    return inbound.server_name if inbound.security == "tls" else "".join(inbound.server_names[:1])


def _reality(
    inbound: Inbound, rendered: Mapping[str, Any], secrets: InboundSecrets
) -> Iterator[Difference]:
    settings = _at(rendered, "streamSettings", "realitySettings")
    if inbound.security != "reality" or not isinstance(settings, dict):
        return
    place = ("streamSettings", "realitySettings")
    if inbound.server_names[0] not in _list(settings.get("serverNames")):
        message = f"links ask for {inbound.server_names[0]!r}, which is not among the serverNames"
        yield (*place, "serverNames"), message
    if secrets.short_ids and secrets.short_ids[0] not in _list(settings.get("shortIds")):
        yield (*place, "shortIds"), "the short id of the links is not among the shortIds"
    if secrets.private_key and settings.get("privateKey") != secrets.private_key:
        yield (*place, "privateKey"), "the public key of the links belongs to another privateKey"


def _users(inbound: Inbound, rendered: Mapping[str, Any]) -> Iterator[Difference]:
    if inbound.protocol != "vless":
        return
    decryption = _at(rendered, "settings", "decryption")
    yield from _said(("settings", "decryption"), "none", decryption or "none")
    for name in ("clients", "users"):
        for number, user in enumerate(_list(_at(rendered, "settings", name))):
            flow = (user.get("flow") or "") if isinstance(user, dict) else inbound.flow
            if flow != inbound.flow:
                yield from _said(("settings", name, number, "flow"), inbound.flow, flow)
                return


def _shadowsocks(
    inbound: Inbound, rendered: Mapping[str, Any], secrets: InboundSecrets
) -> Iterator[Difference]:
    if inbound.protocol != "shadowsocks":
        return
    method, psk = _at(rendered, "settings", "method"), _at(rendered, "settings", "password")
    yield from _said(("settings", "method"), inbound.method, method)
    if method == inbound.method and secrets.psk and psk != psk_for(inbound.method, secrets.psk):
        yield ("settings", "password"), "the links hold another PSK of the server"


def _at(part: Any, *place: str) -> Any:
    """Return the value at *place* of *part*; None if there is none."""
    for name in place:
        part = part.get(name) if isinstance(part, dict) else None
    return part


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
