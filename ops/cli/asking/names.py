"""Names of the fleet for the shell's completion: read from hosts.toml and keys.toml, no secrets."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.errors import OpsError
from ops.model import Fleet

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def _hosts(fleet: Fleet) -> Iterable[str]:
    return (host.name for host in fleet.hosts)


def _groups(fleet: Fleet) -> Iterable[str]:
    return dict.fromkeys(group for host in fleet.hosts for group in host.groups)


def _keys(fleet: Fleet) -> Iterable[str]:
    return (key.name for key in fleet.keys)


def _inbounds(fleet: Fleet) -> Iterable[str]:
    return dict.fromkeys(inbound.name for host in fleet.hosts for inbound in host.inbounds)


_NAMES = {"host": _hosts, "group": _groups, "key": _keys, "inbound": _inbounds}


def completer(kind: str) -> Completer:
    """Return a ``shell_complete`` for names of *kind*: host, group, key or inbound."""

    def complete(ctx: click.Context, _: click.Parameter, begun: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        fleet = _fleet(ctx.params)
        names = _NAMES[kind](fleet) if fleet else ()
        return [CompletionItem(name) for name in names if name.startswith(begun)]

    return complete


def _fleet(params: dict[str, Any]) -> Fleet | None:
    """Return the fleet of ``--fleet`` or of this folder; None if there is none, or it is wrong."""
    from ops.fleet import inventory

    folder = params.get("fleet_folder")
    try:
        return inventory.load(inventory.find(Path(folder) if folder else None))
    except (OpsError, OSError):
        return None
