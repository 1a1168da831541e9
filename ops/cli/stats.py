"""``ops stats``: counters as lines for scripts."""

import click

from ops.cli.asking.names import completer
from ops.cli.asking.options import (
    Format,
    host_options,
    json_option,
    selection_options,
    timeout_option,
)
from ops.cli.printing import console, exit_codes
from ops.fleet import selection as of_fleet
from ops.model import Traffic
from ops.reporting.live import LiveReport, read_live
from ops.reporting.resets import used_until_reset
from ops.reporting.selection import Selection, maintenance_lines
from ops.reporting.shapes.live import counters_of_key, counters_of_keys


@click.group(invoke_without_command=True)
@timeout_option
@json_option
@selection_options
@click.pass_context
def stats(context: click.Context, selection: Selection, timeout: float, output: Format) -> None:
    """Print counters in a fixed form for scripts.

    Without a command it is `ops stats users`.

    \b
    Example:
      ops stats
      ops stats user alice
    """
    if context.invoked_subcommand is None:
        _users(selection, timeout, output)


@stats.command()
@timeout_option
@json_option
@selection_options
def users(selection: Selection, timeout: float, output: Format) -> None:
    """Print a line for each key: NAME uplink=BYTES downlink=BYTES, summed over the hosts.

    A key that never connected has 0. A host that did not answer is named on stderr, and the exit
    code is 3. Keys on such hosts only have no line, and null in JSON.

    \b
    Example:
      ops stats users --group edge
    """
    _users(selection, timeout, output)


@stats.command()
@click.argument("name", metavar="KEY", shell_complete=completer("key"))
@click.option("--reset", "resets", is_flag=True, help="Reset KEY in the ledger. Reads no host.")
@click.option("--partial", is_flag=True, help="Print the sum over the hosts that answered.")
@timeout_option
@json_option
@host_options
def user(
    selection: Selection, name: str, resets: bool, partial: bool, timeout: float, output: Format
) -> None:
    """Print uplink:BYTES and downlink:BYTES of KEY, summed over the hosts.

    If a host did not answer or is in maintenance, the sum is unknown. Then nothing is printed on
    stdout, and the exit code is 3. --partial prints the sum of the other hosts.

    --reset does the same as `ops reset KEY`. It prints the usage since the previous reset.

    \b
    Example:
      ops stats user alice
      ops stats user alice --reset
    """
    if resets:
        _reset(selection, name, output)
        return
    key = of_fleet.key(selection.fleet, name).name
    one_key = Selection(selection.fleet, selection.host_globs, selection.group_globs, (key,))
    report = _read(one_key, timeout)
    console.failures(report.failures)
    if report.readings and (partial or not report.unread):
        _show(key, report.total, output)
    code = exit_codes.of_hosts(len(one_key.hosts), len(report.failures))
    unknown = exit_codes.SOME_UNKNOWN if report.unread and not partial else exit_codes.OK
    raise click.exceptions.Exit(code or unknown)


def _users(selection: Selection, timeout: float, output: Format) -> None:
    report = _read(selection, timeout)
    rows = sorted(report.rows, key=lambda row: row.key)
    if output == "json":
        click.echo(console.as_json(counters_of_keys(rows)))
    else:
        for row in rows:
            if row.certainty != "unknown":
                up, down = row.traffic.uplink, row.traffic.downlink
                click.echo(f"{row.key} uplink={up} downlink={down}")
    console.failures(report.failures)
    raise click.exceptions.Exit(exit_codes.of_hosts(len(selection.hosts), len(report.failures)))


def _read(selection: Selection, timeout: float) -> LiveReport:
    console.notes(maintenance_lines(selection.away))
    with console.progress("Reading", len(selection.hosts)) as advance:
        return read_live(selection, deadline=timeout, progress=advance)


def _reset(selection: Selection, name: str, output: Format) -> None:
    with selection.open_ledger() as ledger:
        _show(name, used_until_reset(selection, ledger, name), output)


def _show(name: str, used: Traffic, output: Format) -> None:
    if output == "json":
        click.echo(console.as_json(counters_of_key(name, used)))
    else:
        click.echo(f"uplink:{used.uplink}\ndownlink:{used.downlink}")
