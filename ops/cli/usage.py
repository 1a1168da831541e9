"""``ops usage``: usage from the ledger, with the certainty of each figure."""

from typing import TYPE_CHECKING

import click

from ops.cli.asking.options import Format, selection_options, table_options
from ops.cli.printing import billing_table, console, exit_codes, usage_table
from ops.reporting.billing import bills
from ops.reporting.selection import Selection
from ops.reporting.shapes.ledger import bill as bill_shape
from ops.reporting.shapes.ledger import usage as usage_shape
from ops.reporting.usage import is_exact
from ops.reporting.usage import usage as usage_of

if TYPE_CHECKING:
    from ops.ledger import By, Usage


@click.command()
@click.option(
    "--since",
    default="",
    metavar="TIME",
    help="Begin at this time: 2026-11-01, 2026-11-01T12:00, 2d ago, or the last reset.",
)
@click.option("--until", default="", metavar="TIME", help="End before this time (default: now).")
@click.option(
    "--month", default="", metavar="MONTH", help="A calendar month: 2026-11, this or last."
)
@click.option(
    "--by",
    type=click.Choice(["key", "host", "hour", "day", "month"]),
    multiple=True,
    default=["key"],
    show_default=True,
    help="Group rows by key, host, hour, day or month. Repeatable.",
)
@click.option(
    "--zone",
    default="",
    metavar="ZONE",
    help="Time zone for days and months, such as Asia/Tokyo (default: the ledger's).",
)
@click.option(
    "--nic",
    is_flag=True,
    help="With --by host: show the bytes of the network card in the hoster's month.",
)
@click.option("--require-exact", is_flag=True, help="Exit with 3 if a figure is not exact.")
@table_options
@selection_options
def usage(
    selection: Selection,
    since: str,
    until: str,
    month: str,
    by: "tuple[By, ...]",
    zone: str,
    nic: bool,
    require_exact: bool,
    output: Format,
) -> None:
    """Show usage from the ledger, by default of this month and by key.

    Each figure is exact, at least or unknown; the reasons are printed below the table. A byte
    belongs to the moment of its reading. Bytes that were read over five minutes late have rows
    of their own in tables by hour, day or month. Another --zone works for the last 90 days only,
    while hourly figures are kept.

    \b
    Example:
      ops usage --month last
      ops usage --by day --key alice --since 7d
      ops usage --by host --nic
      ops usage --since reset
    """
    if nic:
        if by not in (("host",), ("key",)) or zone or since or until:
            raise click.UsageError("--nic goes with --by host and --month: months are the hoster's")
        _show_cards(selection, month, output)
        return
    with selection.open_ledger() as ledger:
        answer = usage_of(
            selection, ledger, since=since, until=until, month=month, by=by, zone=zone
        )
    _show(selection, answer, by, output)
    if require_exact and not is_exact(answer):
        raise click.exceptions.Exit(exit_codes.SOME_UNKNOWN)


def _show(selection: Selection, answer: "Usage", by: "tuple[By, ...]", output: Format) -> None:
    if output == "json":
        click.echo(console.as_json(usage_shape(selection.fleet, answer, by)))
    else:
        click.echo((usage_table.csv if output == "csv" else usage_table.text)(answer, by))


def _show_cards(selection: Selection, month: str, output: Format) -> None:
    with selection.open_ledger() as ledger:
        cards = bills(selection, ledger, month)
    if output == "json":
        click.echo(console.as_json([bill_shape(card) for card in cards]))
    else:
        click.echo((billing_table.csv if output == "csv" else billing_table.text)(cards))
