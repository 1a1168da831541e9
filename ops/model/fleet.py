"""The fleet: hosts, how they are reached, what they offer, and who may use it."""

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
"""The group every host is in (pyinfra's own name for it)."""
_JUMP = re.compile(r"(?:\[(?P<bracketed>[^\]]+)\]|(?P<plain>[^:,\[\]]+))(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """How ssh reaches a host; what is empty is left to ``~/.ssh/config`` and ssh's defaults."""

    hostname: str = ""
    port: int = 0
    user: str = ""
    key: str = ""
    """Path of the private ssh key on this machine, absolute (``~`` is already expanded)."""
    jump: str = ""
    """``[user@]host[:port]`` of a jump host, or nothing."""

    @property
    def place(self) -> str:
        """Return the host and port that answer; empty where ssh's own settings say it."""
        return f"{self.hostname}:{self.port or 22}" if self.hostname else ""

    @property
    def jump_host(self) -> "Ssh | None":
        """Return how the jump host is reached; it is offered the host's own key.

        >>> Ssh(jump="ann@[2001:db8::1]:2222").jump_host
        Ssh(hostname='2001:db8::1', port=2222, user='ann', key='', jump='')
        """
        user, _, place = self.jump.rpartition("@")
        found = _JUMP.fullmatch(place)
        if not found:
            return None
        hostname, port = found["bracketed"] or found["plain"], found["port"]
        return Ssh(hostname=hostname, port=int(port or 0), user=user, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A host is known to be away: a line, not a failure, up to and including *until*."""

    why: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One server: its name, how ssh reaches it, where clients dial it, what it offers."""

    name: str
    ssh: Ssh = Ssh()
    address: tuple[str, ...] = ()
    """Names and addresses (v4, v6) that clients dial; not necessarily the ssh one."""
    groups: tuple[str, ...] = ()
    inbounds: tuple[Inbound, ...] = ()
    api: Literal["socket", "inbound"] = "socket"
    accounting: Literal["live", "spliced"] = "live"
    ipv6: bool = True
    kernel_tuning: bool = False
    state: Literal["up", "absent"] = "up"
    maintenance: Maintenance | None = None
    billing: Billing = field(default_factory=Billing)
    """How its hoster counts what its network card moves."""
    ignore: tuple[tuple[str, str], ...] = ()
    """Codes of rules whose findings here are known, and why each is accepted."""

    @property
    def scopes(self) -> frozenset[str]:
        """Return what a key may name to open the whole of this host."""
        return frozenset({ALL, self.name, *self.groups})

    @property
    def is_up(self) -> bool:
        """Return whether the fleet wants a core on this host."""
        return self.state == "up"

    @property
    def uses_sudo(self) -> bool:
        """Return whether ssh logs in as somebody who must ask for root."""
        return self.ssh.user not in ("", "root")

    def is_away(self, day: date) -> bool:
        """Return whether the host is in maintenance on *day*."""
        return self.maintenance is not None and day <= self.maintenance.until

    def inbound(self, name: str) -> Inbound:
        """Return the inbound called *name*; KeyError if this host does not offer it."""
        for inbound in self.inbounds:
            if inbound.name == name:
                return inbound
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The pinned Xray program: a release's version and its zip's SHA-256 per architecture."""

    version: str
    sha256: Mapping[str, str] = field(default_factory=dict)
    """By ``uname -m``: ``x86_64``, ``aarch64``."""
    fetch: Literal["push", "pull"] = "push"
    """``push``: sent from the verified cache here; ``pull``: downloaded by the host."""
    url: str = "https://github.com/XTLS/Xray-core/releases/download/v{version}/{file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One way out besides the direct one, as Xray writes it; its name is its tag."""

    name: str
    protocol: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    stream_settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Traffic that matches every given condition leaves by *outbound*, or is blocked."""

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
    """A folder of hosts and keys, read and checked: past this point everything trusts it."""

    folder: Path
    core: Core
    hosts: tuple[Host, ...]
    keys: tuple[Key, ...]
    outbounds: tuple[Outbound, ...] = ()
    rules: tuple[Rule, ...] = ()
    public_keys: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """REALITY public keys by (host, inbound), from ``issued.toml``."""
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    id: str = ""
    """The fleet's own name for itself, from ``issued.toml``; rollouts leave it on their hosts."""

    @property
    def known_hosts(self) -> Path:
        """Return the file of ssh host keys; a host that is not in it is refused."""
        return self.folder / "inventory" / "known_hosts"

    def host(self, name: str) -> Host:
        """Return the host called *name*; KeyError if there is none."""
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
        """Return by key the names of the hosts that it opens."""
        opened: dict[str, set[str]] = {key.name: set() for key in self.keys}
        for host in self.hosts:
            for key in self.keys_opening(host):
                opened[key.name].add(host.name)
        return opened

    def rules_on(self, host: Host) -> tuple[Rule, ...]:
        """Return the routing rules that hold on *host*, in the order of the file."""
        return tuple(rule for rule in self.rules if not rule.hosts.isdisjoint(host.scopes))


def opens(key: Key, host: Host, inbound: Inbound) -> bool:
    """Return whether *key* opens *inbound* of *host*; for one key, where `keys_on` is for all."""
    return not _doors(host, inbound).isdisjoint(key.opens)


def _doors(host: Host, inbound: Inbound) -> frozenset[str]:
    """Return what a key may name to open *inbound* of *host*."""
    return host.scopes | {f"{scope}/{inbound.name}" for scope in host.scopes}
