"""What an operator does: edits the inventory, and rolls it out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ops.model import ALL
from tests.simulation.inventory import Access, Entry
from tests.simulation.simulation import Simulation


def _host(s: Simulation, name: str, address: int, rolled: str) -> None:
    """Add a host, rolled out ``before`` anybody can read it, or not (yet)."""
    inventory = s.world.inventory
    if name not in inventory.hosts:
        s.world.machine(address)
        inventory.hosts[name] = Entry(address)
        s.world.renamed()
        if rolled:
            s.world.roll_out(name, restart=False)


def _entry(s: Simulation, name: str, **changes: Any) -> None:
    hosts = s.world.inventory.hosts
    if name in hosts:
        if address := changes.get("address"):
            s.world.machine(address)
        hosts[name] = replace(hosts[name], **changes)
        s.world.renamed()


def _delete(s: Simulation, name: str) -> None:
    s.world.inventory.hosts.pop(name, None)
    s.world.renamed()


def _rename(s: Simulation, old: str, new: str) -> None:
    hosts = s.world.inventory.hosts
    if old in hosts and new not in hosts:
        hosts[new] = hosts.pop(old)
        s.world.renamed()


def _key(s: Simulation, name: str, opens: tuple[str, ...]) -> None:
    """Add a key, or change what it opens."""
    old = s.world.inventory.keys.get(name)
    generation = old.generation if old else 1
    s.world.inventory.keys[name] = Access(frozenset(opens), generation)
    s.world.inventory.version += 1


def _unkey(s: Simulation, name: str) -> None:
    s.world.inventory.keys.pop(name, None)
    s.world.inventory.version += 1


def _rotate(s: Simulation, name: str) -> None:
    keys = s.world.inventory.keys
    if name in keys:
        keys[name] = replace(keys[name], generation=keys[name].generation + 1)
        s.world.inventory.version += 1


def _roll_out(s: Simulation, name: str, restart: bool) -> None:
    names = list(s.world.inventory.hosts) if name == ALL else [name]
    for one in names:
        s.world.roll_out(one, restart=restart)


INVENTORY_EVENTS: dict[str, Callable[..., None]] = {
    "host": _host,
    "absent": lambda s, name, absent: _entry(s, name, absent=absent),
    "alias": _host,
    "move": lambda s, name, address: _entry(s, name, address=address),
    "maintain": lambda s, name, days: _entry(s, name, away=s.time.now + days * 86_400_000),
    "delete": _delete,
    "rename": _rename,
    "key": _key,
    "unkey": _unkey,
    "rotate": _rotate,
    "roll out": _roll_out,
}
