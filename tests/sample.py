"""A fleet small enough to know by heart: one host that offers every kind, and three keys."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ops.config.render import placeholders
from ops.model import Core, Fleet, Host, Inbound, Key, Secrets
from ops.model.inbound import VISION

TARGET = "www.example.com:443"
NAMES = ("www.example.com",)
TLS = {
    "security": "tls",
    "server_name": "ams.example.net",
    "certificate": "/etc/ssl/ams.crt",
    "certificate_key": "/etc/ssl/ams.key",
}
REALITY = {"security": "reality", "target": TARGET, "server_names": NAMES}
_KINDS: tuple[dict[str, Any], ...] = (
    {"name": "reality", "protocol": "vless", "port": 443, "flow": VISION, **REALITY},
    {"name": "xhttp", "protocol": "vless", "transport": "xhttp", "path": "/x", "port": 8443}
    | REALITY,
    {"name": "ws", "protocol": "vless", "transport": "ws", "path": "/ws", "port": 2053} | TLS,
    {"name": "trojan", "protocol": "trojan", "port": 2083} | TLS,
    {"name": "ss", "protocol": "shadowsocks", "method": "2022-blake3-aes-128-gcm", "port": 8388},
)
INBOUNDS = tuple(Inbound(**fields) for fields in _KINDS)
KINDS = tuple(inbound.name for inbound in INBOUNDS)


def host(**changes: Any) -> Host:
    """Return the host ``ams``, with *changes*."""
    same = Host(name="ams", address=("ams.example.net", "8.8.4.4"), inbounds=INBOUNDS)
    return replace(same, **changes)


def fleet(*hosts: Host, folder: Path = Path("/nowhere"), **changes: Any) -> Fleet:
    """Return a fleet of *hosts*, or of :func:`host`, with *changes*."""
    same = Fleet(
        folder=folder,
        core=Core(version="26.10.10"),
        hosts=hosts or (host(),),
        keys=(Key(name="alice"), Key(name="bob@example.com"), Key(name="carol")),
        public_keys={("ams", name): f"public-{name}" for name in ("reality", "xhttp")},
    )
    return replace(same, **changes)


def secrets(of: Fleet) -> Secrets:
    """Return secrets for the whole of a fleet; the same each time."""
    return placeholders(of)
