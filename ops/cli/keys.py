"""``ops keys``: the keys of the inventory."""

import click

from ops.cli.asking.options import Format, selection_options, table_options
from ops.cli.printing import console
from ops.reporting.access import opened, shortened, words_for
from ops.reporting.selection import Selection, maintenance_lines
from ops.reporting.shapes import inventory as shapes

_MOST = 8
"""Words in the table for the inbounds that one key opens."""


@click.group(invoke_without_command=True)
@table_options
@selection_options
@click.pass_context
def keys(context: click.Context, selection: Selection, output: Format) -> None:
    """Show the keys of the inventory, and the inbounds that each opens.

    Keys are changed by editing keys.toml. Without a command it is `ops keys list`.

    \b
    Example:
      ops keys
      ops keys --key 'a*' --host fra1
    """
    if context.invoked_subcommand is None:
        _show(selection, output)


@keys.command("list")
@table_options
@selection_options
def list_keys(selection: Selection, output: Format) -> None:
    """List the keys, and the inbounds of the selected hosts that each opens.

    In the table the name of a group or host stands for all its inbounds, and a long list ends
    with a number. --json and --csv name each inbound.

    \b
    Example:
      ops keys list --key 'a*' --host fra1
    """
    _show(selection, output)


def _show(selection: Selection, output: Format) -> None:
    console.notes(maintenance_lines(selection.away))
    if output == "json":
        click.echo(console.as_json(shapes.keys(selection.hosts, selection.keys)))
        return
    headings = ("key", "opens", "note")
    inbounds = {key.name: opened(selection.hosts, key) for key in selection.keys}
    if output == "table":
        words = list(words_for(selection.hosts))
        inbounds = {name: _cut(shortened(words, places)) for name, places in inbounds.items()}
    rows = [(key.name, " ".join(inbounds[key.name]), key.note) for key in selection.keys]
    if output == "csv":
        click.echo(console.as_csv(headings, rows))
    else:
        click.echo(console.table(headings, console.folded(headings, rows, column=1)))


def _cut(words: list[str]) -> list[str]:
    more = len(words) - _MOST
    return words[:_MOST] + ([f"and {more} more"] if more > 0 else [])
