"""``ops compare``: exact counters beside other figures of the same bytes."""

import click

from ops.cli.asking.length import Length
from ops.cli.asking.options import Format, json_option, selection_options, timeout_option
from ops.cli.printing import comparison_table, console, exit_codes
from ops.reporting.comparison import compare as compare_figures
from ops.reporting.selection import Selection, maintenance_lines
from ops.reporting.shapes.comparison import comparison as comparison_shape


@click.command()
@click.option(
    "--over",
    type=Length(),
    metavar="SPAN",
    help="Measure for SPAN, starting now, instead of since the core started.",
)
@timeout_option
@json_option
@selection_options
def compare(selection: Selection, over: float | None, timeout: float, output: Format) -> None:
    """Show exact counters beside inbounds, network card and an estimate, per host and key.

    The exact figures are the counters of the keys since the core started. The estimate is a
    guess: the number of open connections, or of those in the access log, times the mean bytes of
    a connection on that host. It works even if the API does not answer.

    \b
    Example:
      ops compare
      ops compare --host fra1 --key alice --over 30s --json
    """
    console.notes(maintenance_lines(selection.away))
    report = compare_figures(selection, deadline=timeout, over=over)
    if output == "json":
        shape = comparison_shape(selection.fleet, report, selection.key_names)
        click.echo(console.as_json(shape))
    elif report.hosts:
        click.echo(comparison_table.text(selection.fleet, report, selection.key_names))
    console.failures(report.failures)
    console.failures(
        f"{figures.host}: {reason}"
        for figures in report.hosts
        for reason in (figures.error, figures.trouble)
        if reason
    )
    asked = len(report.hosts) + len(report.failures)
    raise click.exceptions.Exit(exit_codes.of_hosts(asked, report.without_exact))
