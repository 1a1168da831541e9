"""Build the fleet from the checked files. A host inherits from the defaults and its groups."""

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
    """Return the fleet in *folder*. ``checks`` has found no contradiction in the files."""
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
    """Return the values of the inheritable fields of *table*: the host's own or inherited ones."""
    layers = [
        hosts.defaults,
        *(hosts.groups[name] for name in table.groups if name in hosts.groups),
        table,
    ]
    values: dict[str, Any] = {}
    for layer in layers:
        fields = layer.model_dump(include=set(_INHERITED), exclude_none=True)
        values.update(fields)
    return values


def host_of(folder: Path, hosts: HostsFile, name: str, table: HostTable) -> Host:
    """Return the host *name*."""
    values = settings_of(hosts, table)
    ssh = Ssh(
        hostname=values.get("ssh_hostname", ""),
        port=values.get("ssh_port", 0),
        user=values.get("ssh_user", "root"),
        key=_ssh_key(folder, values.get("ssh_key", "")),
        jump=values.get("jump", ""),
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
            for inbound in values.get("inbounds", [])
        ),
        state=table.state,
        maintenance=Maintenance(why=away.why, until=away.until) if away else None,
        **{field: values[field] for field in ("api", "accounting", "ipv6") if field in values},
        kernel_tuning=values.get("kernel_tuning", False),
        ignore=tuple(table.ignore.items()),
        billing=_billing(BillingTable(**values.get("billing", {}))),
    )


def _inbound(
    name: str, table: InboundTable, host: HostTable, host_name: str, address: tuple[str, ...]
) -> Inbound:
    values = table.model_dump(exclude_none=True)
    if overrides := host.overrides.get(name):
        values |= overrides.model_dump(exclude_none=True)
    values["server_names"] = tuple(values.get("server_names", ()))
    inbound = Inbound(name=name, **values)
    if inbound.security == "tls":
        return _with_certificate(inbound, host_name, address)
    if inbound.security == "reality" and not inbound.server_names:
        name = inbound.target.rsplit(":", 1)[0]
        return replace(inbound, server_names=(name,) if is_dns_name(name) else ())
    return inbound


def _with_certificate(inbound: Inbound, host: str, address: tuple[str, ...]) -> Inbound:
    """Return *inbound* with the certificate's name and paths for *host*."""
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
    """Return the absolute *path*; a relative one begins in the fleet's folder."""
    return posixpath.join(folder, posixpath.expanduser(path)) if path else ""


def _outbound(name: str, table: OutboundTable) -> Outbound:
    return Outbound(name=name, **table.model_dump())


def _rule(table: RuleTable) -> Rule:
    values = table.model_dump()
    lists = {field: tuple(value) for field, value in values.items() if isinstance(value, list)}
    return Rule(**{**values, **lists, "hosts": frozenset(table.hosts)})


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
