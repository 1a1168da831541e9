"""Check that a rendered inbound accepts clients that use its links.

Links come from the inventory. A template of the fleet can render a different inbound from the same
data. The core then starts and is healthy, but no client can connect.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.config.links.share import ALPN
from ops.model import Inbound, InboundSecrets, psk_for

Path = tuple[str | int, ...]
Difference = tuple[Path, str]
"""A place inside the rendered inbound, and a message about the difference."""
_NETWORKS = {"tcp": "raw", "websocket": "ws", "splithttp": "xhttp", "": "raw"}
"""Other names of transports that the core accepts, and the name in the inventory."""
_SETTINGS = {"ws": ("wsSettings",), "xhttp": ("xhttpSettings", "splithttpSettings")}


def differences(
    inbound: Inbound, rendered: Mapping[str, Any], secrets: InboundSecrets
) -> Iterator[Difference]:
    """Yield each difference between *rendered* and *inbound* that breaks a link."""
    protocol = str(_at(rendered, "protocol") or "").lower()
    yield from _compared(("protocol",), inbound.protocol, protocol)
    if not _is_behind_another(rendered):
        yield from _port(inbound, rendered)
        security = str(_at(rendered, "streamSettings", "security") or "none").lower()
        yield from _compared(("streamSettings", "security"), inbound.security, security)
        yield from _alpn(inbound, rendered)
    yield from _transport(inbound, rendered)
    yield from _reality(inbound, rendered, secrets)
    yield from _users(inbound, rendered)
    yield from _shadowsocks(inbound, rendered, secrets)


def _compared(place: Path, linked: object, rendered: object) -> Iterator[Difference]:
    if linked != rendered:
        yield place, f"links say {place[-1]} {linked!r}, and the config has {rendered!r}"


def _is_behind_another(rendered: Mapping[str, Any]) -> bool:
    """Return whether the inbound listens for this machine only.

    Another program then accepts the connections of clients, and may end their TLS.
    """
    listen = str(_at(rendered, "listen") or "")
    return listen.startswith(("127.", "/", "@")) or listen in ("localhost", "::1")


def _port(inbound: Inbound, rendered: Mapping[str, Any]) -> Iterator[Difference]:
    port = str(_at(rendered, "port"))
    if inbound.public_port is None and port.isdecimal():
        yield from _compared(("port",), inbound.port, int(port))


def _alpn(inbound: Inbound, rendered: Mapping[str, Any]) -> Iterator[Difference]:
    place = ("streamSettings", "tlsSettings", "alpn")
    offered = _list(_at(rendered, *place))
    asked = ALPN.get(inbound.transport, "").split(",")
    if inbound.security == "tls" and offered and not any(name in asked for name in offered):
        yield place, f"links offer alpn {', '.join(asked)}, and the config takes {offered}"


def _transport(inbound: Inbound, rendered: Mapping[str, Any]) -> Iterator[Difference]:
    network = str(_at(rendered, "streamSettings", "network") or "").lower()
    network = _NETWORKS.get(network, network)
    yield from _compared(("streamSettings", "network"), inbound.transport, network)
    if network != inbound.transport:
        return
    for name in _SETTINGS.get(network, ()):
        settings = _at(rendered, "streamSettings", name)
        if isinstance(settings, dict):
            yield from _http(inbound, ("streamSettings", name), settings)
    place = ("streamSettings", "tcpSettings", "header", "type")
    if network == "raw" and _at(rendered, *place) not in (None, "", "none"):
        yield place, f"links have no header type, and the config has {_at(rendered, *place)!r}"


def _http(inbound: Inbound, place: Path, settings: Mapping[str, Any]) -> Iterator[Difference]:
    path = str(settings.get("path") or "/").partition("?")[0]
    if _folder(path) != _folder(inbound.path):
        yield from _compared((*place, "path"), inbound.path, path)
    host, asked = str(settings.get("host") or "").lower(), _host(inbound).lower()
    if host and host != asked:
        yield from _compared((*place, "host"), asked, host)
    if settings.get("mode") == "packet-up":  # with REALITY, a client in mode auto sends one stream
        yield from _compared((*place, "mode"), "auto", "packet-up")


def _folder(path: str) -> str:
    return path.strip("/")


def _host(inbound: Inbound) -> str:
    """Return the Host header that clients send."""
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
    yield from _compared(("settings", "decryption"), "none", decryption or "none")
    for name in ("clients", "users"):
        for number, user in enumerate(_list(_at(rendered, "settings", name))):
            flow = (user.get("flow") or "") if isinstance(user, dict) else inbound.flow
            if flow != inbound.flow:
                yield from _compared(("settings", name, number, "flow"), inbound.flow, flow)
                return


def _shadowsocks(
    inbound: Inbound, rendered: Mapping[str, Any], secrets: InboundSecrets
) -> Iterator[Difference]:
    if inbound.protocol != "shadowsocks":
        return
    method, psk = _at(rendered, "settings", "method"), _at(rendered, "settings", "password")
    yield from _compared(("settings", "method"), inbound.method, method)
    if method == inbound.method and secrets.psk and psk != psk_for(inbound.method, secrets.psk):
        yield ("settings", "password"), "the links have another PSK of the server"


def _at(part: Any, *place: str) -> Any:
    """Return the value at *place* in *part*; None if it is missing."""
    for name in place:
        part = part.get(name) if isinstance(part, dict) else None
    return part


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
