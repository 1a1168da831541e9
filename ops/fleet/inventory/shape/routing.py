"""The outbounds and routing rules in hosts.toml."""

from typing import Literal

from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import Json, Pattern, Ports, Protocol, Reference


class OutboundTable(Table):
    """``[outbounds.NAME]``: a way out of the hosts, beside ``direct`` and ``block``.

    The fields are copied into the config of the core. Xray's documentation describes them.
    """

    protocol: Protocol
    """The protocol of the outbound, in Xray's words.

    Example: protocol = "socks"
    """
    settings: Json = {}
    """The outbound's ``settings``, in Xray's words.

    Example: settings = { servers = [{ address = "127.0.0.1", port = 40000 }] }
    """
    stream_settings: Json = {}
    """The outbound's ``streamSettings``, in Xray's words: transport and security.

    Example: stream_settings = { network = "ws", security = "tls", wsSettings = { path = "/out" } }
    """


class RuleTable(Table):
    """``[[rules]]``: a routing rule. The first rule that matches a connection decides.

    A rule matches if all its conditions match, and a condition matches if one of its values does. A
    rule needs at least one condition: ``domain``, ``ip``, ``port``, ``network``, ``protocol``,
    ``inbound`` or ``key``. Traffic that no rule matches goes out directly. Private addresses and
    the hosts' own addresses are blocked before all rules.
    """

    outbound: Reference
    """The way out: a name of ``[outbounds.NAME]``, ``direct`` or ``block``.

    Example: outbound = "block"
    """
    hosts: list[Reference] = ["all"]
    """The hosts and groups on which the rule applies.

    Example: hosts = ["edge", "fra1"]
    """
    domain: list[Pattern] = []
    """The domain of the target: ``domain:`` matches a domain with its subdomains, ``full:`` one
    name, ``keyword:`` a part, ``regexp:`` an expression, ``geosite:`` a list.

    Example: domain = ["domain:example.org", "geosite:category-ads-all"]
    """
    ip: list[Pattern] = []
    """The address of the target: addresses, networks, or a list such as ``geoip:cn``.

    Example: ip = ["192.0.2.0/24", "geoip:cn"]
    """
    port: Ports = ""
    """The port of the target: ports and ranges.

    Example: port = "53,1000-2000"
    """
    network: Literal["", "tcp", "udp", "tcp,udp"] = ""
    """The network protocol of the connection.

    Example: network = "udp"
    """
    protocol: list[Literal["http", "tls", "quic", "bittorrent"]] = []
    """The protocol that the core recognises in the connection's first bytes.

    Example: protocol = ["bittorrent"]
    """
    inbound: list[Reference] = []
    """The inbound through which the connection came: names of ``[inbounds.NAME]``.

    Example: inbound = ["ws"]
    """
    key: list[Reference] = []
    """The key that opened the connection: names of ``[keys.NAME]``.

    Example: key = ["alice"]
    """
