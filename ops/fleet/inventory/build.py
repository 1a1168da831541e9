"""Turn what the files say into the fleet: defaults, then groups in order, then the host."""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ops.fleet.inventory.shape import HostsFile, IssuedFile, KeysFile
from ops.fleet.inventory.shape.hosts import HostFields, HostTable
from ops.fleet.inventory.shape.inbounds import InboundTable
from ops.fleet.inventory.shape.ledger import BillingTable, LedgerTable, amount
from ops.fleet.inventory.shape.routing import OutboundTable, RuleTable
from ops.fleet.inventory.values import is_dns_name
from ops.model import (
    Billing,
    Core,
    Fleet,
    Host,
    Inbound,
    Key,
    LedgerSettings,
    Maintenance,
    Outbound,
    Rule,
    Ssh,
)

_INHERITED = tuple(HostFields.model_fields)


def fleet_of(folder: Path, hosts: HostsFile, keys: KeysFile, issued: IssuedFile) -> Fleet:
    """Return the fleet in *folder*. The files agree with each other: see ``checks``."""
    return Fleet(
        folder=folder,
        core=Core(**hosts.core.model_dump()),
        hosts=tuple(host_of(folder, hosts, name, table) for name, table in hosts.hosts.items()),
        keys=tuple(
            Key(name=name, opens=frozenset(table.opens), note=table.note)
            for name, table in keys.keys.items()
        ),
        outbounds=tuple(_outbound(name, table) for name, table in hosts.outbounds.items()),
        rules=tuple(_rule(table) for table in hosts.rules),
        public_keys=dict(_public_keys(issued)),
        ledger=_ledger_settings(hosts.ledger),
        id=issued.fleet,
    )


def settings_of(hosts: HostsFile, table: HostTable) -> dict[str, Any]:
    """Return the fields that *table* may inherit, with what it inherits filled in."""
    layers = [
        hosts.defaults,
        *(hosts.groups[name] for name in table.groups if name in hosts.groups),
        table,
    ]
    said: dict[str, Any] = {}
    for layer in layers:
        fields = layer.model_dump(include=set(_INHERITED), exclude_none=True)
        said.update(fields)
    return said


def host_of(folder: Path, hosts: HostsFile, name: str, table: HostTable) -> Host:
    """Return the host called *name*."""
    said = settings_of(hosts, table)
    ssh = Ssh(
        hostname=said.get("ssh_hostname", ""),
        port=said.get("ssh_port", 0),
        user=said.get("ssh_user", "root"),
        key=_ssh_key(folder, said.get("ssh_key", "")),
        jump=said.get("jump", ""),
    )
    address = tuple(table.address) or (ssh.hostname or name,)
    away = table.maintenance
    return Host(
        name=name,
        ssh=ssh,
        address=address,
        groups=tuple(table.groups),
        inbounds=tuple(
            _inbound(inbound, hosts.inbounds[inbound], table, name, address)
            for inbound in said.get("inbounds", [])
        ),
        state=table.state,
        maintenance=Maintenance(why=away.why, until=away.until) if away else None,
        **{field: said[field] for field in ("api", "accounting", "ipv6") if field in said},
        kernel_tuning=said.get("kernel_tuning", False),
        ignore=tuple(table.ignore.items()),
        billing=_billing(BillingTable(**said.get("billing", {}))),
    )


def _inbound(
    name: str, table: InboundTable, host: HostTable, host_name: str, address: tuple[str, ...]
) -> Inbound:
    said = table.model_dump(exclude_none=True)
    if overrides := host.overrides.get(name):
        said |= overrides.model_dump(exclude_none=True)
    said["server_names"] = tuple(said.get("server_names", ()))
    inbound = Inbound(name=name, **said)
    if inbound.security == "tls":
        return _with_certificate(inbound, host_name, address)
    if inbound.security == "reality" and not inbound.server_names:
        name = inbound.target.rsplit(":", 1)[0]
        return replace(inbound, server_names=(name,) if is_dns_name(name) else ())
    return inbound


def _with_certificate(inbound: Inbound, host: str, address: tuple[str, ...]) -> Inbound:
    """Fill in the certificate's name and paths; they differ from host to host only in names."""
    names = (name.removesuffix(".") for name in address)
    server_name = inbound.server_name or next(filter(is_dns_name, names), "")

    def filled(path: str) -> str:
        return path.replace("{host}", host).replace("{server_name}", server_name)

    return replace(
        inbound,
        server_name=server_name,
        certificate=filled(inbound.certificate),
        certificate_key=filled(inbound.certificate_key),
    )


def _ssh_key(folder: Path, path: str) -> str:
    """A relative path is one in the fleet's folder; what ``~`` is depends on who runs this."""
    return posixpath.join(folder, posixpath.expanduser(path)) if path else ""


def _outbound(name: str, table: OutboundTable) -> Outbound:
    return Outbound(name=name, **table.model_dump())


def _rule(table: RuleTable) -> Rule:
    said = table.model_dump()
    lists = {field: tuple(value) for field, value in said.items() if isinstance(value, list)}
    return Rule(**{**said, **lists, "hosts": frozenset(table.hosts)})


def _ledger_settings(table: LedgerTable) -> LedgerSettings:
    keep = table.keep
    return LedgerSettings(
        url=table.url or "",
        zone=table.zone,
        keep_fives=keep.fives,
        keep_hours=keep.hours,
        keep_runs=keep.runs,
    )


def _billing(table: BillingTable) -> Billing:
    included = amount(table.included) if table.included else None
    return Billing(day=table.day, direction=table.direction, included=included)


def _public_keys(issued: IssuedFile) -> Iterator[tuple[tuple[str, str], str]]:
    for host, inbounds in issued.hosts.items():
        for inbound, made in inbounds.items():
            if made.public_key:
                yield (host, inbound), made.public_key
