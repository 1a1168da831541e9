"""Make a complete config for an Xray client, for apps that accept no links."""

from typing import Any

from ops.config.links.share import ALPN, TRANSPORT, proof, reality_of
from ops.model import Fleet, Host, Inbound, Key, Secrets


def client(
    fleet: Fleet,
    host: Host,
    inbound: Inbound,
    key: Key,
    secrets: Secrets,
    address: str,
    socks_port: int = 1080,
) -> dict[str, Any]:
    """Return an Xray config with SOCKS on 127.0.0.1 that sends all traffic to *inbound* of *host*.

    It uses the old field names, because every core accepts them.

    Args:
        fleet: the fleet; it holds the REALITY public keys.
        host: the host that the client connects to.
        inbound: an inbound of the host.
        key: the key that the client uses.
        secrets: the secrets of the fleet.
        address: the address of the host in the config.
        socks_port: the local port of the client's SOCKS server.

    Raises:
        SecretsError: a secret of the config is missing.
    """
    entrance = {
        "tag": "socks",
        "listen": "127.0.0.1",
        "port": socks_port,
        "protocol": "socks",
        "settings": {"udp": True},
    }
    way = {
        "tag": f"{host.name}/{inbound.name}",
        "protocol": inbound.protocol,
        "settings": _settings(inbound, address, proof(host, inbound, key, secrets)),
    }
    if inbound.protocol != "shadowsocks":
        way["streamSettings"] = _stream(fleet, host, inbound, secrets)
    return {"log": {"loglevel": "warning"}, "inbounds": [entrance], "outbounds": [way]}


def _settings(inbound: Inbound, address: str, secret: str) -> dict[str, Any]:
    server: dict[str, Any] = {"address": address, "port": inbound.dialled_port}
    if inbound.protocol == "vless":
        user = {"id": secret, "encryption": "none"}
        return {"vnext": [server | {"users": [user | _flow(inbound)]}]}
    if inbound.protocol == "trojan":
        return {"servers": [server | {"password": secret}]}
    return {"servers": [server | {"method": inbound.method, "password": secret}]}


def _flow(inbound: Inbound) -> dict[str, str]:
    return {"flow": inbound.flow} if inbound.flow else {}


def _stream(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> dict[str, Any]:
    network = TRANSPORT.get(inbound.transport, inbound.transport)
    stream: dict[str, Any] = {"network": network, "security": inbound.security}
    if inbound.transport == "ws":
        stream["wsSettings"] = {"path": inbound.path, "host": inbound.server_name}
    if inbound.transport == "xhttp":
        stream["xhttpSettings"] = {"path": inbound.path, "mode": "auto"}
    if inbound.security == "reality":
        stream["realitySettings"] = _reality(fleet, host, inbound, secrets)
    else:
        stream["tlsSettings"] = {
            "serverName": inbound.server_name,
            "fingerprint": inbound.fingerprint,
            "alpn": ALPN[inbound.transport].split(","),
        }
    return stream


def _reality(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> dict[str, Any]:
    public_key, short_id = reality_of(fleet, host, inbound, secrets)
    return {
        "serverName": inbound.server_names[0],
        "fingerprint": inbound.fingerprint,
        "publicKey": public_key,
        "shortId": short_id,
        "spiderX": "/",
    }
