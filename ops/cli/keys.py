"""``ops keys``: the keys of the inventory."""

import click

from ops.cli import show
from ops.cli.options import Format, Selected, selection_options, table_options
from ops.model import Host, Key, opens


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

    On a terminal a host's name alone stands for all its inbounds; elsewhere each is named.

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
        click.echo(show.as_json(shown))
        return
    if output == "table" and show.is_terminal():
        opened = {name: _shortened(hosts, opens) for name, opens in opened.items()}
    rows = [(key.name, " ".join(opened[key.name]), key.note) for key in selected.keys]
    headings = ("key", "opens", "note")
    if output == "csv":
        click.echo(show.as_csv(headings, rows))
    else:
        click.echo(show.table(headings, show.folded(headings, rows, column=1)))


def _shortened(hosts: tuple[Host, ...], opened: list[str]) -> list[str]:
    """Return *opened* with one word for a host all of whose inbounds are in it."""
    short = []
    for host in hosts:
        all_of_it = [f"{host.name}/{inbound.name}" for inbound in host.inbounds]
        there = [place for place in all_of_it if place in set(opened)]
        short += [host.name] if there and there == all_of_it else there
    return short


def _opened(hosts: tuple[Host, ...], key: Key) -> list[str]:
    """Return the inbounds that *key* opens, as ``host/inbound``."""
    return [
        f"{host.name}/{inbound.name}"
        for host in hosts
        for inbound in host.inbounds
        if opens(key, host, inbound)
    ]
