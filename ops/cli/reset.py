"""``ops reset``: count the usage of a key from 0 again."""

import click

from ops.cli.asking.names import completer
from ops.cli.asking.options import Format, fleet_option, json_option
from ops.cli.printing import console
from ops.reporting.resets import reset as reset_key
from ops.reporting.selection import Selection
from ops.reporting.shapes.ledger import mark as mark_shape


@click.command()
@click.argument("key", shell_complete=completer("key"))
@json_option
@fleet_option
def reset(selection: Selection, key: str, output: Format) -> None:
    """Reset KEY for people: `ops usage --since reset` counts from now. History stays.

    No counter is changed: the ledger stores the usage of KEY until now. Traffic that an
    unreachable host counted before the reset still belongs to the time before it.

    \b
    Example:
      ops reset alice
    """
    with selection.open_ledger() as ledger:
        mark = reset_key(selection, ledger, key)
    if output == "json":
        click.echo(console.as_json(mark_shape(mark)))
        return
    click.echo(
        f"{mark.key} is reset at {mark.at:%Y-%m-%d %H:%M:%S} UTC, after "
        f"{console.size(mark.before.total)} in all; its hosts had been read at "
        f"{mark.counted_from:%Y-%m-%d %H:%M:%S} or later."
    )
