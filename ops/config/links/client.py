"""A whole config for an Xray client, where an app takes no links or somebody wants to look."""

from typing import Any

from ops.config.links.proofs import proof, reality
from ops.config.links.share import ALPN, TRANSPORT
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
    """Return an Xray config that offers SOCKS on 127.0.0.1 and leaves by *inbound* of *host*.

    Field names are the old ones, which every core still reads.

    Raises:
        SecretsError: *secrets* lacks what the client needs.
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
    public_key, short_id = reality(fleet, host, inbound, secrets)
    return {
        "serverName": inbound.server_names[0],
        "fingerprint": inbound.fingerprint,
        "publicKey": public_key,
        "shortId": short_id,
        "spiderX": "/",
    }
