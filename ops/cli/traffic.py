"""``ops traffic``: the live traffic of keys."""

from contextlib import closing
from typing import get_args

import click

from ops.cli.asking.length import Length
from ops.cli.asking.options import Format, selection_options, table_options, timeout_option
from ops.cli.printing import console, exit_codes, live_table
from ops.reporting.live import read_live, watch_rates
from ops.reporting.rows import Grouping
from ops.reporting.selection import Selection, maintenance_lines


@click.command()
@click.option("--all-hosts", is_flag=True, help="Read every host (the default).")
@click.option(
    "--by",
    type=click.Choice(get_args(Grouping)),
    default="key",
    show_default=True,
    help="Group rows by key, host, both or inbound.",
)
@click.option(
    "--watch",
    "every",
    type=Length(least=0.2),
    is_flag=False,
    flag_value="2s",
    metavar="[SPAN]",
    help="Show bytes a second, and read again each SPAN (2s). Ctrl-C ends it.",
)
@timeout_option
@table_options
@selection_options
def traffic(
    selection: Selection,
    all_hosts: bool,
    by: Grouping,
    every: float | None,
    timeout: float,
    output: Format,
) -> None:
    """Show the traffic of each key since the cores started, read over SSH now.

    Bytes are payload. "up" is from the client to its target, "down" is back. The counters are in
    the memory of the cores and restart at 0 with the core. For billing use `ops usage`.

    \b
    Example:
      ops traffic
      ops traffic --group edge --key 'al*' --by both --json
      ops traffic --watch
    """
    _refuse_contradictions(selection, all_hosts, every, output)
    console.notes(maintenance_lines(selection.away))
    if every:
        _watch(selection, by, every, timeout)
    with console.progress("Reading", len(selection.hosts)) as advance:
        report = read_live(selection, by, deadline=timeout, progress=advance)
    if output == "json":
        from ops.reporting.shapes.live import live_traffic

        click.echo(console.as_json(live_traffic(report)))
    elif report.readings and output == "csv":
        click.echo(live_table.csv(report))
    elif report.readings:
        click.echo(live_table.text(report))
    console.failures(report.failures)
    raise click.exceptions.Exit(exit_codes.of_hosts(len(selection.hosts), len(report.failures)))


def _refuse_contradictions(
    selection: Selection, all_hosts: bool, every: float | None, output: Format
) -> None:
    if all_hosts and selection.narrows_hosts:
        raise click.UsageError("--all-hosts and --host or --group say different things: use one")
    if every and output != "table":
        raise click.UsageError("--watch shows tables: ask again and again with --json instead")


def _watch(selection: Selection, by: Grouping, every: float, timeout: float) -> None:
    """Show rates until Ctrl-C."""
    with closing(watch_rates(selection, by, every=every, deadline=timeout)) as reports:
        for report in reports:
            if console.is_terminal():
                click.clear()
            if report.rows:
                click.echo(live_table.rates(report))
            console.failures(report.failures)
