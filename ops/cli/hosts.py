"""``ops hosts``: the state of the servers, and first contact with a new one."""

import sys

import click

from ops.cli.asking.names import completer
from ops.cli.asking.options import (
    Format,
    fleet_option,
    host_options,
    table_options,
    timeout_option,
)
from ops.cli.printing import console, exit_codes
from ops.counting import reading
from ops.errors import HostError, OpsError, UsageError
from ops.fleet import selection as of_fleet
from ops.model import Fleet, Host
from ops.model.phrases import duration
from ops.reporting.hosts import HostReport, read_hosts
from ops.reporting.selection import Selection, maintenance_lines
from ops.reporting.shapes import live as shapes
from ops.servers import trust

_HEADINGS = ("host", "state", "core", "up", "counting since", "keys used", "read by")


@click.group(invoke_without_command=True)
@timeout_option
@table_options
@host_options
@click.pass_context
def hosts(context: click.Context, selection: Selection, timeout: float, output: Format) -> None:
    """Show the state of each host: core, uptime, start of counting, number of keys used.

    An absent host is listed, but not asked.

    The last column shows how the API was read: by a forwarded socket or port, or by exec. With
    exec the host runs its own `xray api`, because its sshd forbids forwarding.

    \b
    Example:
      ops hosts
      ops hosts --group edge --json
      ops hosts trust fra1
    """
    if context.invoked_subcommand:
        return
    console.notes(maintenance_lines(selection.away_even_absent))
    with console.progress("Asking", len(selection.hosts_even_absent)) as advance:
        reports = read_hosts(selection, deadline=timeout, progress=advance)
    if output == "json":
        click.echo(console.as_json([shapes.host(report) for report in reports]))
    else:
        written = console.as_csv if output == "csv" else console.table
        click.echo(written(_HEADINGS, [_row(report) for report in reports]))
    asked = [report for report in reports if report.state != "absent"]
    unread = [report for report in asked if report.state != "up"]
    console.failures(f"{report.host}: {report.reason}" for report in unread)
    only_absent = reports and not asked
    code = exit_codes.OK if only_absent else exit_codes.of_hosts(len(asked), len(unread))
    raise click.exceptions.Exit(code)


def _row(report: HostReport) -> list[str]:
    since = shapes.host(report)["counting_since"]
    uptime = duration(report.uptime) if report.uptime is not None else ""
    cells = (report.host, report.state, report.core, uptime, since, report.keys_used, report.way)
    return ["" if cell is None else str(cell) for cell in cells]


@hosts.command("trust")
@click.argument(
    "names", nargs=-1, required=True, metavar="NAME...", shell_complete=completer("host")
)
@click.option(
    "--fingerprint", metavar="SHA256:...", help="The fingerprint on the server's own console."
)
@click.option("--replace", is_flag=True, help="Replace the host key that known_hosts has now.")
@fleet_option
def trust_host(
    selection: Selection, names: tuple[str, ...], fingerprint: str | None, replace: bool
) -> None:
    """Store the ssh host keys of hosts or jump hosts after comparing their fingerprints.

    NAME can be a glob. No login is made, so no ssh key is needed. On the server's own console
    `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows the fingerprint. With --fingerprint
    no question is asked.

    The keys are stored in inventory/known_hosts, in the format of OpenSSH. Lines of another
    known_hosts file, such as ~/.ssh/known_hosts, can be copied into it.

    \b
    Example:
      ops hosts trust fra1
      ops hosts trust 'fra*' bastion.example.net
      ops hosts trust fra1 --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s
    """
    chosen = _chosen(selection.fleet, names)
    if fingerprint and len(chosen) > 1:
        raise UsageError(f"--fingerprint is that of one server, and {len(chosen)} were named")
    failures = [
        error
        for host in chosen
        if (error := _trust(selection.fleet, host, fingerprint, replace)) is not None
    ]
    if len(chosen) == 1 and failures:
        raise failures[0]
    console.failures(failures)
    unknown = sum(isinstance(error, HostError) for error in failures)
    no = exit_codes.NO if failures else exit_codes.OK
    raise click.exceptions.Exit(exit_codes.of_hosts(len(chosen), unknown) or no)


def _chosen(fleet: Fleet, names: tuple[str, ...]) -> tuple[Host, ...]:
    """Return the hosts and jump hosts called *names*; jump hosts may be in ~/.ssh/config."""
    try:
        return of_fleet.hosts_or_jumps(fleet, names)
    except UsageError:
        jumps = reading.jump_hosts(fleet)
        if not jumps.keys() & set(names):
            raise
        others = of_fleet.hosts_or_jumps(fleet, [name for name in names if name not in jumps])
        return (*others, *(jumps[name] for name in names if name in jumps))


def _trust(fleet: Fleet, host: Host, fingerprint: str | None, replace: bool) -> OpsError | None:
    """Show the keys of *host* and store them once compared; return the error if that failed."""
    try:
        shown = {key.fingerprint: key.line for key in reading.host_keys(fleet, host)}
        lines = trust.chosen(host, shown, fingerprint) if fingerprint else list(shown.values())
        if not fingerprint:
            for seen, line in shown.items():
                click.echo(f"{host.name} shows {seen} ({line.split()[1]})")
        if trust.is_known(fleet, host, lines, replacing=replace):
            click.echo(f"{host.name}: was trusted already")
            return None
        if not (fingerprint or _compared(host)):
            return OpsError(
                f"{host.name}: nothing was trusted: another machine may answer at this address"
            )
        trust.add(fleet, host, lines, replacing=replace)
        click.echo(f"{host.name}: trusted from now on")
    except OpsError as error:
        return error
    return None


def _compared(host: Host) -> bool:
    """Ask whether the shown fingerprints are those of the server.

    Raises UsageError if stdin is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is here to compare them: give {host.name}'s --fingerprint")
    return click.confirm(f"Is that what {host.name}'s own console shows?")
