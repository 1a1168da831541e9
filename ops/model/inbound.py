"""One way into a host."""

from dataclasses import dataclass
from typing import Literal

ProtocolName = Literal["vless", "trojan", "shadowsocks"]
TransportName = Literal["raw", "xhttp", "ws"]
SecurityName = Literal["reality", "tls", "none"]

VISION = "xtls-rprx-vision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One way in: a protocol over a transport under a security, on a port.

    Its name is its tag in the core's config, and so in the counters. Fields that its kind has
    no use for are empty.
    """

    name: str
    protocol: ProtocolName
    transport: TransportName = "raw"
    security: SecurityName = "none"
    port: int
    public_port: int | None = None
    """The port clients dial, where NAT or a CDN changes it."""

    flow: str = ""
    """VLESS: ``xtls-rprx-vision`` or nothing."""
    path: str = ""
    """WebSocket and XHTTP: the path of the request, with its leading slash."""
    server_name: str = ""
    """TLS: the name in the certificate that clients ask for."""
    certificate: str = ""
    """TLS: path *on the host* of the certificate chain, PEM."""
    certificate_key: str = ""
    """TLS: path *on the host* of the certificate's private key, PEM."""
    target: str = ""
    """REALITY: ``host:port`` of the TLS 1.3 site that strangers are shown."""
    server_names: tuple[str, ...] = ()
    """REALITY: the names that clients may ask for; links use the first."""
    fingerprint: str = "chrome"
    """The browser that clients imitate; the pinned core admits not all (see docs)."""
    method: str = ""
    """Shadowsocks: the 2022 method, one of the AES ones (the other has no multi-user form)."""

    @property
    def kind(self) -> str:
        """Return the name of its template: protocol, transport, security; ``none`` left out."""
        parts = (self.protocol, self.transport, self.security)
        return "-".join(part for part in parts if part != "none")

    @property
    def dialled_port(self) -> int:
        """Return the port that clients dial."""
        return self.public_port or self.port
