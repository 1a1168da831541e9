"""``ops diff``: the effect of a commit, and the drift of servers from the inventory."""

from functools import partial

import click

from ops.cli.asking.options import Format, host_options, json_option, timeout
from ops.cli.printing import console, exit_codes
from ops.counting.reading import DRIFT_DEADLINE
from ops.errors import UsageError
from ops.reporting.selection import Selection, maintenance_lines
from ops.reporting.shapes import inventory as shapes


@click.command()
@click.argument("revision", required=False, metavar="[REV]")
@click.option("--servers", is_flag=True, help="Compare the servers with this folder, over ssh.")
@click.option("--exit-code", "as_code", is_flag=True, help="Exit with 1 if there is a difference.")
@timeout(DRIFT_DEADLINE, "With --servers: ")
@json_option
@host_options
def diff(
    selection: Selection,
    revision: str | None,
    servers: bool,
    as_code: bool,
    timeout: float,
    output: Format,
) -> None:
    """Show the effect of the changes since REV (HEAD) on servers and people.

    The list names the keys that gain or lose access, the cores that restart, and the links that
    end, with the reasons. No server is read. Secrets are neither needed nor compared nor shown.

    With --servers each server is compared with this folder. Drift is everything that a rollout
    would change, such as a damaged or replaced core. "+" is missing on the server, "-" is too
    much, "~" is different. Exit code 1 means drift, 3 means that a server did not answer.

    \b
    Example:
      ops diff origin/main
      ops diff --servers --host fra1
    """
    if servers and revision:
        raise UsageError(
            "--servers compares this folder with the servers, not a REV: leave one out"
        )
    if servers:
        raise click.exceptions.Exit(_drift(selection, timeout, output))
    from ops.cli.printing import differences
    from ops.reporting import changes

    report = changes.changes_since(selection, revision or "HEAD", _progress)
    if output == "json":
        click.echo(console.as_json(shapes.changes(report)))
    else:
        click.echo(differences.text(report))
    differ = as_code and report.changes.hosts
    raise click.exceptions.Exit(exit_codes.NO if differ else exit_codes.OK)


_progress = partial(console.progress, "Comparing")


def _drift(selection: Selection, timeout: float, output: Format) -> int:
    from ops.cli.printing import differences
    from ops.reporting import changes

    console.notes(maintenance_lines(selection.away_even_absent))
    report = changes.drift(selection, deadline=timeout, progress=_progress)
    if output == "json":
        click.echo(console.as_json(shapes.drift(report)))
    else:
        click.echo(differences.drift_text(report))
    console.failures(report.failures)
    drifted = any(host.drifted for host in report.hosts)
    code = exit_codes.of_hosts(len(selection.hosts_even_absent), len(report.failures))
    return code or (exit_codes.NO if drifted else exit_codes.OK)
