"""The inbounds in hosts.toml: the ways into a host."""

from typing import Annotated, Literal

from pydantic import Field

from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import (
    DnsName,
    Fingerprint,
    Port,
    RemotePath,
    ServerName,
    Target,
    UrlPath,
)
from ops.model.inbound import ProtocolName, SecurityName, TransportName


class InboundFields(Table):
    """``[hosts.NAME.overrides.INBOUND]`` and ``[inbounds.NAME]``: more fields of an inbound.

    A value in the override counts for this host, in place of the inbound's own value.
    """

    port: Port | None = None
    """The port on which the inbound listens. ``[inbounds.NAME]`` requires it.

    Example: port = 8443
    """
    public_port: Port | None = None
    """The port that clients dial, if NAT or a CDN changes it. The default is ``port``.

    Example: public_port = 443
    """
    path: UrlPath | None = None
    """``ws`` and ``xhttp`` require it: the path of the HTTP request.

    Example: path = "/news"
    """
    server_name: ServerName | None = None
    """``tls``: the name in the certificate. Clients send it as SNI. The default is the first DNS
    name in the host's ``address``.

    Example: server_name = "cdn.example.net"
    """
    certificate: RemotePath | None = None
    """``tls`` requires it: the path of the certificate chain on the host, in PEM. ``{host}`` and
    ``{server_name}`` are replaced. Renewed certificates are loaded.

    Example: certificate = "/etc/letsencrypt/live/{server_name}/fullchain.pem"
    """
    certificate_key: RemotePath | None = None
    """``tls`` requires it: the path of the certificate's private key on the host, in PEM.
    ``{host}`` and ``{server_name}`` are replaced.

    Example: certificate_key = "/etc/letsencrypt/live/{server_name}/privkey.pem"
    """
    target: Target | None = None
    """``reality`` requires it: the TLS 1.3 site that answers connections without a valid key.

    Example: target = "www.example.com:443"
    """
    server_names: Annotated[list[DnsName], Field(min_length=1)] | None = None
    """``reality``: the names that clients can send as SNI. Links use the first one. The default is
    the host name in ``target``. If ``target`` is an address, this field is required.

    Example: server_names = ["www.example.com", "example.com"]
    """
    fingerprint: Fingerprint | None = None
    """``tls`` and ``reality``: the browser that clients imitate in the TLS handshake. The default
    is ``chrome``. The pinned core's REALITY refuses some of them (rule XO505).

    Example: fingerprint = "firefox"
    """


class InboundTable(InboundFields):
    """``[inbounds.NAME]``: fields that are the same on every host that offers the inbound.

    NAME is the inbound's name in counters. The combinations are: ``vless`` over ``raw`` or
    ``xhttp`` with ``reality``, ``vless`` over ``ws`` with ``tls``, ``trojan`` over ``raw`` with
    ``tls``, and ``shadowsocks`` alone.
    """

    protocol: ProtocolName
    """The protocol of the proxy.

    Example: protocol = "vless"
    """
    transport: TransportName = "raw"
    """The transport: ``raw`` is plain TCP, ``ws`` is WebSocket.

    Example: transport = "ws"
    """
    security: SecurityName = "none"
    """The encryption of the transport. ``none`` is for ``shadowsocks`` only, which encrypts by
    itself.

    Example: security = "tls"
    """
    flow: Literal["", "xtls-rprx-vision"] = ""
    """``vless`` over ``raw``: the flow of VLESS.

    Example: flow = "xtls-rprx-vision"
    """
    method: Literal["2022-blake3-aes-128-gcm", "2022-blake3-aes-256-gcm"] | None = None
    """``shadowsocks`` requires it: the cipher of Shadowsocks 2022.

    Example: method = "2022-blake3-aes-256-gcm"
    """
    port: Port
