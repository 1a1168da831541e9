"""The fleet: its hosts with their inbounds, outbounds and rules, its core and its keys."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from ops.model.inbound import Inbound
from ops.model.key import Key
from ops.model.ledger import Billing, LedgerSettings

ALL = "all"
"""The group of all hosts. pyinfra uses the same name."""
_JUMP = re.compile(r"(?:\[(?P<bracketed>[^\]]+)\]|(?P<plain>[^:,\[\]]+))(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """The ssh settings of a host. For empty fields, ``~/.ssh/config`` and ssh's defaults count."""

    hostname: str = ""
    port: int = 0
    user: str = ""
    key: str = ""
    """Absolute path of the private ssh key on this machine."""
    jump: str = ""
    """``[user@]host[:port]`` of the jump host, or an empty text."""

    @property
    def place(self) -> str:
        """Return ``host:port``, or an empty text if only ssh's own settings know the host."""
        return f"{self.hostname}:{self.port or 22}" if self.hostname else ""

    @property
    def jump_host(self) -> "Ssh | None":
        """Return the ssh settings of the jump host. It has the same private key as the host.

        >>> Ssh(jump="ann@[2001:db8::1]:2222").jump_host
        Ssh(hostname='2001:db8::1', port=2222, user='ann', key='', jump='')
        """
        user, _, place = self.jump.rpartition("@")
        match = _JUMP.fullmatch(place)
        if not match:
            return None
        hostname, port = match["bracketed"] or match["plain"], match["port"]
        return Ssh(hostname=hostname, port=int(port or 0), user=user, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A planned absence of a host, up to and including the day *until*.

    Commands print a line about the host; this is no failure.
    """

    why: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One server of the fleet; see docs/inventory.md for the fields."""

    name: str
    ssh: Ssh = Ssh()
    address: tuple[str, ...] = ()
    """Names and addresses (IPv4, IPv6) that clients dial. The ssh address can be another one."""
    groups: tuple[str, ...] = ()
    inbounds: tuple[Inbound, ...] = ()
    api: Literal["socket", "inbound"] = "socket"
    accounting: Literal["live", "spliced"] = "live"
    ipv6: bool = True
    kernel_tuning: bool = False
    state: Literal["up", "absent"] = "up"
    maintenance: Maintenance | None = None
    billing: Billing = field(default_factory=Billing)
    """The terms of the hoster for the traffic of the network card."""
    ignore: tuple[tuple[str, str], ...] = ()
    """Pairs of a rule's code and the reason to accept its findings on this host."""

    @property
    def scopes(self) -> frozenset[str]:
        """Return the names by which a key opens all inbounds of this host."""
        return frozenset({ALL, self.name, *self.groups})

    @property
    def is_up(self) -> bool:
        """Return whether the fleet wants a core on this host."""
        return self.state == "up"

    @property
    def uses_sudo(self) -> bool:
        """Return whether the ssh user needs sudo to become root."""
        return self.ssh.user not in ("", "root")

    def is_away(self, day: date) -> bool:
        """Return whether the host is in maintenance on *day*."""
        return self.maintenance is not None and day <= self.maintenance.until

    def inbound(self, name: str) -> Inbound:
        """Return the inbound *name*; KeyError if this host does not offer it."""
        for inbound in self.inbounds:
            if inbound.name == name:
                return inbound
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The pinned release of Xray, with the SHA-256 of its zip for each architecture."""

    version: str
    sha256: Mapping[str, str] = field(default_factory=dict)
    """By the output of ``uname -m``: ``x86_64``, ``aarch64``, ``armv7l``."""
    fetch: Literal["push", "pull"] = "push"
    """``push``: this machine sends the zip from its cache. ``pull``: the host downloads it."""
    url: str = "https://github.com/XTLS/Xray-core/releases/download/v{version}/{file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One way out beside the direct one, in Xray's words. Its name is its tag."""

    name: str
    protocol: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    stream_settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A routing rule. Traffic that matches all conditions that are set leaves by *outbound*."""

    outbound: str
    """The name of an outbound, or ``direct`` or ``block``."""
    hosts: frozenset[str] = frozenset({ALL})
    domain: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    port: str = ""
    network: str = ""
    protocol: tuple[str, ...] = ()
    inbound: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The checked data of a fleet's folder. All other rooms rely on its types and values."""

    folder: Path
    core: Core
    hosts: tuple[Host, ...]
    keys: tuple[Key, ...]
    outbounds: tuple[Outbound, ...] = ()
    rules: tuple[Rule, ...] = ()
    public_keys: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """REALITY public keys by (host, inbound), from issued.toml."""
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    id: str = ""
    """The ID of the fleet from issued.toml. Rollouts store it on their hosts."""

    @property
    def known_hosts(self) -> Path:
        """Return the file of trusted ssh host keys. ssh refuses every other host."""
        return self.folder / "inventory" / "known_hosts"

    def host(self, name: str) -> Host:
        """Return the host *name*; KeyError if the fleet has no such host."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    def keys_on(self, host: Host, inbound: Inbound) -> tuple[Key, ...]:
        """Return the keys that open *inbound* of *host*, in the order of the file."""
        doors = _doors(host, inbound)
        return tuple(key for key in self.keys if not doors.isdisjoint(key.opens))

    def keys_opening(self, host: Host) -> tuple[Key, ...]:
        """Return the keys that open any inbound of *host*, each once."""
        keys = (key for inbound in host.inbounds for key in self.keys_on(host, inbound))
        return tuple({key.name: key for key in keys}.values())

    def opened_hosts(self) -> dict[str, set[str]]:
        """Return the names of the hosts that each key opens, by the key's name."""
        opened: dict[str, set[str]] = {key.name: set() for key in self.keys}
        for host in self.hosts:
            for key in self.keys_opening(host):
                opened[key.name].add(host.name)
        return opened

    def rules_on(self, host: Host) -> tuple[Rule, ...]:
        """Return the routing rules for *host*, in the order of the file."""
        return tuple(rule for rule in self.rules if not rule.hosts.isdisjoint(host.scopes))


def opens(key: Key, host: Host, inbound: Inbound) -> bool:
    """Return whether *key* opens *inbound* of *host*. `Fleet.keys_on` answers it for all keys."""
    return not _doors(host, inbound).isdisjoint(key.opens)


def _doors(host: Host, inbound: Inbound) -> frozenset[str]:
    """Return the entries of ``opens`` that open *inbound* of *host*."""
    return host.scopes | {f"{scope}/{inbound.name}" for scope in host.scopes}
