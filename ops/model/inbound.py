"""One way into a host."""

from dataclasses import dataclass
from typing import Literal

ProtocolName = Literal["vless", "trojan", "shadowsocks"]
TransportName = Literal["raw", "xhttp", "ws"]
SecurityName = Literal["reality", "tls", "none"]

VISION = "xtls-rprx-vision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One way into a host: a protocol over a transport with a security, on a port.

    The name is the tag in the core's config and in the names of counters. Fields that do not
    belong to this kind of inbound are empty.
    """

    name: str
    protocol: ProtocolName
    transport: TransportName = "raw"
    security: SecurityName = "none"
    port: int
    public_port: int | None = None
    """The port that clients dial, if NAT or a CDN changes it."""

    flow: str = ""
    """VLESS: ``xtls-rprx-vision`` or an empty text."""
    path: str = ""
    """WebSocket and XHTTP: the path of the request, with a leading slash."""
    server_name: str = ""
    """TLS: the name in the certificate. Clients send it as SNI."""
    certificate: str = ""
    """TLS: path *on the host* of the certificate chain, PEM."""
    certificate_key: str = ""
    """TLS: path *on the host* of the certificate's private key, PEM."""
    target: str = ""
    """REALITY: ``host:port`` of the TLS 1.3 site that answers connections without a valid key."""
    server_names: tuple[str, ...] = ()
    """REALITY: the names that clients can send as SNI. Links use the first."""
    fingerprint: str = "chrome"
    """The browser that clients imitate. The core's REALITY refuses some (rule XO505)."""
    method: str = ""
    """Shadowsocks 2022: an AES method, because the ChaCha20 method has no form for many users."""

    @property
    def kind(self) -> str:
        """Return the name of the template: protocol, transport and security, without ``none``."""
        parts = (self.protocol, self.transport, self.security)
        return "-".join(part for part in parts if part != "none")

    @property
    def dialled_port(self) -> int:
        """Return the port that clients dial."""
        return self.public_port or self.port
