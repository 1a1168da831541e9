"""``ops keys``: the keys of the inventory."""

from collections.abc import Iterator

import click

from ops.cli.options import Format, Selected, selection_options, table_options
from ops.cli.printing import console
from ops.model import ALL, Host, Key, opens

_MOST = 8
"""Words of the table for what one key opens."""


@click.group()
def keys() -> None:
    """Look at the keys of the inventory; they are changed by editing keys.toml.

    \b
    Example:
      ops keys list
    """


@keys.command("list")
@table_options
@selection_options
def list_keys(selected: Selected, output: Format) -> None:
    """List the keys, and the inbounds of the selected hosts that each opens.

    In the table the name of a group or host stands for all its inbounds, and a long list ends
    with a count. --json and --csv name each inbound.

    \b
    Example:
      ops keys list --key 'a*' --host fra1
    """
    hosts = selected.hosts
    opened = {key.name: _opened(hosts, key) for key in selected.keys}
    if output == "json":
        shown = [
            {"key": key.name, "note": key.note, "opens": opened[key.name]} for key in selected.keys
        ]
        click.echo(console.as_json(shown))
        return
    if output == "table":
        words = list(_words(hosts))
        opened = {name: _shortened(words, opens) for name, opens in opened.items()}
    rows = [(key.name, " ".join(opened[key.name]), key.note) for key in selected.keys]
    headings = ("key", "opens", "note")
    if output == "csv":
        click.echo(console.as_csv(headings, rows))
    else:
        click.echo(console.table(headings, console.folded(headings, rows, column=1)))


def _shortened(words: list[tuple[str, set[str]]], opened: list[str]) -> list[str]:
    """Return *opened* in few of *words*: all, groups, hosts, and inbounds of them."""
    left, said = set(opened), []
    for word, doors in words:
        if doors and left.issuperset(doors):
            said.append(word)
            left -= doors
    more = [f"and {len(said) - _MOST} more"] if len(said) > _MOST else []
    return said[:_MOST] + more


def _words(hosts: tuple[Host, ...]) -> Iterator[tuple[str, set[str]]]:
    """Yield each word for inbounds of *hosts*, the shortest way to say it first."""
    groups = dict.fromkeys(group for host in hosts for group in host.groups)
    scopes = {ALL: hosts} | {g: tuple(h for h in hosts if g in h.groups) for g in groups}
    shared = {scope: members for scope, members in scopes.items() if len(members) > 1}
    names = dict.fromkeys(inbound.name for host in hosts for inbound in host.inbounds)
    for scope, members in shared.items():
        yield scope, _doors(members)
    for scope, members in shared.items():
        for name in names:
            doors = {door for door in _doors(members) if door.endswith(f"/{name}")}
            if len(doors) > 1:
                yield f"{scope}/{name}", doors
    for host in hosts:
        yield host.name, _doors((host,))
    for host in hosts:
        yield from ((door, {door}) for door in _of(host))


def _of(host: Host) -> list[str]:
    return [f"{host.name}/{inbound.name}" for inbound in host.inbounds]


def _doors(hosts: tuple[Host, ...]) -> set[str]:
    """Return every inbound of *hosts*, as ``host/inbound``."""
    return {door for host in hosts for door in _of(host)}


def _opened(hosts: tuple[Host, ...], key: Key) -> list[str]:
    """Return the inbounds that *key* opens, as ``host/inbound``."""
    return [
        f"{host.name}/{inbound.name}"
        for host in hosts
        for inbound in host.inbounds
        if opens(key, host, inbound)
    ]
