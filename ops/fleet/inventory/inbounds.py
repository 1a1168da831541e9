"""Find inbounds with missing or useless fields, refused combinations, and clashes on a host."""

from collections.abc import Iterator
from pathlib import Path

from ops.errors import Problem
from ops.fleet.inventory.build import host_of
from ops.fleet.inventory.shape import HostsFile
from ops.fleet.inventory.shape.hosts import HostTable
from ops.fleet.inventory.shape.inbounds import InboundTable
from ops.fleet.inventory.toml import Document, Location
from ops.fleet.inventory.values import is_dns_name, is_ip
from ops.model import Host
from ops.model.inbound import VISION
from ops.model.layout import API_INBOUND, API_PORT, API_TAG

_FIELDS = {
    "reality": {"target", "server_names", "fingerprint"},
    "tls": {"server_name", "certificate", "certificate_key", "fingerprint"},
    "ws": {"path"},
    "xhttp": {"path"},
    "shadowsocks": {"method"},
    "vless": {"flow"},
}
"""The fields that each security, transport or protocol uses."""
_NEEDED = {
    "reality": {"target"},
    "tls": {"certificate", "certificate_key"},
    "ws": {"path"},
    "xhttp": {"path"},
    "shadowsocks": {"method"},
}
_SPECIAL = set().union(*_FIELDS.values())


def kinds(
    document: Document, hosts: HostsFile, damaged: frozenset[Location] = frozenset()
) -> Iterator[Problem]:
    """Find inbounds with parts that do not fit. Tables in *damaged* can lack fields."""
    for name, table in hosts.inbounds.items():
        place: Location = ("inbounds", name)
        if name in (API_TAG, API_INBOUND):
            yield document.problem(place, f"{name!r} is the API's own name", "rename it")
        reason, remedy = _misfit(table)
        if place in damaged:
            continue
        if reason:
            yield document.problem(place, f"inbound {name!r}: {reason}", remedy)
        else:
            yield from _fields(document, place, table)


def _misfit(table: InboundTable) -> tuple[str, str]:
    """Return the reason why *table* cannot work, and a remedy; or two empty texts.

    Measured with core 26.10.10: it refuses a config with REALITY over WebSocket. It accepts Vision
    without raw and TLS or REALITY, but no client can connect.
    """
    protocol, transport, security = table.protocol, table.transport, table.security
    if protocol == "shadowsocks" and (transport, security) != ("raw", "none"):
        return "Shadowsocks encrypts by itself", "leave out transport and security"
    if protocol != "shadowsocks" and security == "none":
        return f"{protocol} without TLS or REALITY is not encrypted", 'write security = "tls"'
    if security == "reality" and transport == "ws":
        return "the core refuses REALITY over WebSocket", 'write transport = "raw" or "xhttp"'
    if protocol == "trojan" and (transport, security) != ("raw", "tls"):
        return f"Trojan over {transport} with {security} is not offered", 'use raw with "tls"'
    if table.flow == VISION and protocol != "vless":
        return f"only VLESS has a flow, not {protocol}", "leave out flow"
    if table.flow == VISION and transport != "raw":
        return (
            f"Vision works on raw only, not on {transport}: nobody could connect",
            "leave out flow",
        )
    if protocol == "vless" and (transport, security) not in _VLESS:
        return f"VLESS over {transport} with {security} is not offered", "use another transport"
    return "", ""


_VLESS = {("raw", "reality"), ("xhttp", "reality"), ("ws", "tls")}


def _fields(document: Document, place: Location, table: InboundTable) -> Iterator[Problem]:
    """Find fields that the kind does not use, and required fields that are missing."""
    parts = {table.protocol, table.transport, table.security}
    useful = set().union(*(_FIELDS.get(part, set()) for part in parts))
    needed = set().union(*(_NEEDED.get(part, set()) for part in parts))
    written = table.model_fields_set
    kind = "-".join(
        part for part in (table.protocol, table.transport, table.security) if part != "none"
    )
    for field in sorted(written & _SPECIAL - useful):
        yield document.problem((*place, field), f"{kind} does not use {field}", "leave it out")
    for field in sorted(needed - written):
        yield document.problem(place, f"{kind} needs {field}", f"write {field} = ...")


def offers(document: Document, hosts: HostsFile) -> Iterator[Problem]:
    """Find clashes of ports on a host, wrong addresses, and hosts with the same ssh address."""
    reached: dict[tuple[str, str, int], str] = {}
    for name, table in hosts.hosts.items():
        place: Location = ("hosts", name)
        host = host_of(Path(), hosts, name, table)
        yield from _ports(document, place, host)
        yield from _overrides(document, table, host)
        yield from _addresses(document, place, host)
        yield from _names_to_ask_for(document, table, host)
        dialled = (host.ssh.hostname or host.name).lower().removesuffix(".")
        way = (host.ssh.jump, dialled, host.ssh.port or 22)
        other = reached.setdefault(way, host.name)
        if other != host.name:
            message = f"{host.name!r} and {other!r} are the same server to ssh: {way[1]}:{way[2]}"
            yield document.problem(place, message, "give each its own ssh_hostname or ssh_port")


def _ports(document: Document, place: Location, host: Host) -> Iterator[Problem]:
    taken = {API_PORT: "the API"} if host.api == "inbound" else {}
    for inbound in host.inbounds:
        other = taken.setdefault(inbound.port, inbound.name)
        if other != inbound.name:
            message = (
                f"{host.name!r}: {inbound.name!r} and {other!r} both listen on port {inbound.port}"
            )
            remedy = (
                f"give one another port here, under [hosts.{host.name}.overrides.{inbound.name}]"
            )
            yield document.problem(place, message, remedy)


def _overrides(document: Document, table: HostTable, host: Host) -> Iterator[Problem]:
    offered = {inbound.name: inbound for inbound in host.inbounds}
    for name in table.overrides:
        place: Location = ("hosts", host.name, "overrides", name)
        if name not in offered:
            yield document.problem(
                place, f"{host.name!r} does not offer {name!r}", "add it to inbounds"
            )
            continue
        parts = {offered[name].protocol, offered[name].transport, offered[name].security}
        useful = set().union(*(_FIELDS.get(part, set()) for part in parts))
        for field in sorted(table.overrides[name].model_fields_set & _SPECIAL - useful):
            message = f"{offered[name].kind} does not use {field}"
            yield document.problem((*place, field), message, "leave it out")


def _addresses(document: Document, place: Location, host: Host) -> Iterator[Problem]:
    for address in host.address:
        if not (is_ip(address) or is_dns_name(address.removesuffix("."))):
            message = f"{address!r} is neither a name nor an address"
            yield document.problem((*place, "address"), message, "no port, no brackets", address)
    for inbound in host.inbounds:
        if inbound.security == "tls" and not inbound.server_name:
            message = f"{host.name!r} has no name that {inbound.name!r}'s certificate could carry"
            yield document.problem(place, message, "add a DNS name to address, or set server_name")


def _names_to_ask_for(document: Document, table: HostTable, host: Host) -> Iterator[Problem]:
    """Find REALITY inbounds without a name that clients could send as SNI."""
    for inbound in host.inbounds:
        if inbound.security != "reality" or inbound.server_names:
            continue
        if not inbound.target:  # missing or unfit, which another problem says
            continue
        own = table.overrides.get(inbound.name)
        inbounds: Location = ("inbounds", inbound.name)
        overrides: Location = ("hosts", host.name, "overrides", inbound.name)
        place = (*(overrides if own and own.target else inbounds), "target")
        message = f"inbound {inbound.name!r}: clients must ask REALITY for a name, and the target"
        message += f" {inbound.target!r} is an address"
        yield document.problem(place, message, 'write server_names = ["a name it serves"]')
