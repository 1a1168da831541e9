"""``ops reset``: count the usage of a key from 0 again."""

from collections.abc import Mapping
from datetime import datetime

import click

from ops.cli.asking.names import completer
from ops.cli.asking.options import Format, fleet_option, json_option
from ops.cli.printing import console
from ops.model.phrases import listed
from ops.reporting.resets import reset as reset_key
from ops.reporting.selection import Selection
from ops.reporting.shapes.ledger import mark as mark_shape

_MOST = 5
"""Hosts that the sentence names."""


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
        read_at = ledger.readings(key)
        mark = reset_key(selection, ledger, key)
    if output == "json":
        click.echo(console.as_json(mark_shape(mark, read_at)))
        return
    click.echo(
        f"{mark.key} is reset at {mark.at:%Y-%m-%d %H:%M:%S} UTC, after "
        f"{console.size(mark.before.total)} in all. {_read(read_at)}"
    )


def _read(read_at: Mapping[str, datetime | None]) -> str:
    """Return the sentence about the last readings before the reset."""
    read = [at for at in read_at.values() if at]
    never = sorted(host for host, at in read_at.items() if at is None)
    if not read:
        return "None of its hosts was ever read."
    said = f"hosts had been read at {min(read):%Y-%m-%d %H:%M:%S} UTC or later"
    if not never:
        return f"Its {said}."
    return f"Never read: {listed(never, _MOST)}. The other {said}."
