"""``ops status``: one line and an exit code for a monitoring system."""

from datetime import timedelta

import click

from ops.cli.asking.length import Length
from ops.cli.asking.options import host_options
from ops.cli.printing import console, exit_codes
from ops.errors import LedgerError
from ops.reporting.selection import Selection, maintenance_lines
from ops.reporting.status import Status
from ops.reporting.status import status as status_of

_CODES = {
    "OK": exit_codes.OK,
    "BEHIND": exit_codes.NO,
    "UNKNOWN": exit_codes.SOME_UNKNOWN,
}


@click.command()
@click.option(
    "--max-age",
    type=Length(),
    default="10m",
    show_default=True,
    metavar="SPAN",
    help="Report BEHIND if a host was last read longer ago than this.",
)
@host_options
def status(selection: Selection, max_age: float) -> None:
    """Print one line about the collection of usage. Exit code: 0 OK, 1 BEHIND, 3 UNKNOWN.

    BEHIND: a host was not read for longer than --max-age, waits for a decision
    (`ops collect --adopt`), or is absent with readings that were not fetched. The line ends with
    the reasons why figures of this month are only at least.

    \b
    Example:
      ops status --max-age 10m
    """
    console.notes(maintenance_lines(selection.away_even_absent))
    try:
        with selection.open_ledger() as ledger:
            state = status_of(selection, ledger, timedelta(seconds=max_age))
    except LedgerError as error:
        state = Status(verdict="UNKNOWN", problems=(str(error),))
    click.echo(state.line)
    raise click.exceptions.Exit(_CODES[state.verdict])
