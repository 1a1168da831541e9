"""The fleet as its operator writes it down: hosts at addresses, and keys that open some of them."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ops.model import ALL, Core, Fleet, Host, Inbound, Key, LedgerSettings, Maintenance, Ssh
from tests.simulation.clock import when
from tests.simulation.machine import OURS

INBOUND = Inbound(name="ss", protocol="shadowsocks", method="2022-blake3-aes-256-gcm", port=8388)
BLANK = Fleet(folder=Path("/nowhere"), core=Core(version="26.10.10"), hosts=(), keys=())


@dataclass(frozen=True, slots=True)
class Entry:
    """A host of the inventory: the address behind its name."""

    address: int
    absent: bool = False
    away: int = 0
    """Until when it is in maintenance."""


@dataclass(frozen=True, slots=True)
class Access:
    """A key of the inventory: what it opens, and which generation of its secrets holds."""

    opens: frozenset[str]
    generation: int = 1


@dataclass
class Inventory:
    """The files of the fleet. Each change makes a new version."""

    zone: str = "UTC"
    hosts: dict[str, Entry] = field(default_factory=dict)
    keys: dict[str, Access] = field(default_factory=dict)
    version: int = 0
    _fleet: Fleet = BLANK
    _built: int = -1

    def fleet(self) -> Fleet:
        """Return the fleet of the product that these files say."""
        if self._built != self.version:
            self._fleet, self._built = self._build(), self.version
        return self._fleet

    def opened_by(self, key: str) -> frozenset[str]:
        """Return the hosts that *key* opens now."""
        access = self.keys.get(key)
        if access is None:
            return frozenset()
        return frozenset(self.hosts) if ALL in access.opens else access.opens & self.hosts.keys()

    def users_of(self, host: str) -> set[str]:
        """Return the users that a rollout puts into the core of *host*."""
        return {
            name if access.generation == 1 else f"{name}~{access.generation}"
            for name, access in self.keys.items()
            if host in self.opened_by(name)
        }

    def _build(self) -> Fleet:
        known: dict[str, Any] = {"id": OURS} if "id" in {f.name for f in fields(Fleet)} else {}
        return replace(
            BLANK,
            hosts=tuple(_host(name, entry) for name, entry in self.hosts.items()),
            keys=tuple(
                Key(name=n, opens=_known(a.opens, self.hosts)) for n, a in self.keys.items()
            ),
            ledger=LedgerSettings(zone=self.zone),
            **known,
        )


def _host(name: str, entry: Entry) -> Host:
    return Host(
        name=name,
        ssh=Ssh(hostname=str(entry.address)),
        inbounds=(INBOUND,),
        state="absent" if entry.absent else "up",
        maintenance=Maintenance(why="work", until=_day(entry.away)) if entry.away else None,
    )


def _day(moment: int) -> Any:
    return (when(moment) - timedelta()).date()


def _known(opens: Collection[str], hosts: Collection[str]) -> frozenset[str]:
    return frozenset(name for name in opens if name == ALL or name in hosts)
