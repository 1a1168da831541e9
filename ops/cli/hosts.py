"""``ops hosts``: how the servers are, and first contact with a new one."""

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ops import reading, selection, trust
from ops.cli import show
from ops.cli.options import (
    Format,
    Selected,
    fleet_option,
    host_options,
    table_options,
    timeout_option,
)
from ops.errors import HostError, OpsError, UsageError
from ops.model import Host
from ops.traffic import per_key

if TYPE_CHECKING:
    from ops.reading.questions import Inspection

_HEADINGS = ("host", "state", "core", "up", "counting since", "keys used", "read by")


@click.group(invoke_without_command=True)
@timeout_option
@table_options
@host_options
@click.pass_context
def hosts(context: click.Context, selected: Selected, timeout: float, output: Format) -> None:
    """Show the hosts: reachable, core, since when it counts, how many keys were used since.

    The API is read by a forwarded socket or port, or by exec: the core's own program on the host,
    where sshd forwards nothing.

    \b
    Example:
      ops hosts
      ops hosts --group edge --json
      ops hosts trust fra1
    """
    if context.invoked_subcommand:
        return
    with show.progress("Asking", len(selected.hosts)) as advance:
        found = reading.inspect_hosts(selected.fleet, selected.hosts, deadline=timeout)
        advance()
    failures = {error.host: error for error in found.failures}
    lines = [_line(host, found.results.get(host.name), failures) for host in selected.hosts]
    if output == "json":
        click.echo(show.as_json(lines))
    else:
        written = show.as_csv if output == "csv" else show.table
        click.echo(written(_HEADINGS, [_row(line) for line in lines]))
    unread = [line for line in lines if line["state"] != "up"]
    show.failures(f"{line['host']}: {line['reason']}" for line in unread)
    raise click.exceptions.Exit(show.exit_code(len(lines), len(unread)))


def _line(host: Host, found: "Inspection | None", failures: dict[str, HostError]) -> dict[str, Any]:
    line: dict[str, Any] = dict.fromkeys(
        ("host", "state", "core", "uptime_seconds", "counting_since", "keys_used", "way", "reason")
    )
    line["host"] = host.name
    if found is None:
        return line | {"state": "unreachable", "reason": failures[host.name].reason}
    line["core"] = found.core
    if isinstance(found.reading, HostError):
        return line | {"state": "no answer", "reason": found.reading.reason}
    now = found.reading
    return line | {
        "state": "up",
        "uptime_seconds": int((now.read_at - now.counting_since).total_seconds()),
        "counting_since": show.moment(now.counting_since),
        "keys_used": len(per_key(now)),
        "way": now.way,
    }


def _row(line: dict[str, Any]) -> list[str]:
    uptime = line["uptime_seconds"]
    shown = line | {
        "uptime_seconds": "" if uptime is None else show.span(timedelta(seconds=uptime))
    }
    return ["" if value is None else str(value) for value in list(shown.values())[: len(_HEADINGS)]]


@hosts.command("trust")
@click.argument("name")
@click.option("--fingerprint", metavar="SHA256:...", help="What the server's console shows.")
@click.option("--replace", "instead", is_flag=True, help="Forget another key known for it.")
@fleet_option
def trust_host(selected: Selected, name: str, fingerprint: str | None, instead: bool) -> None:
    """Learn the ssh host key of NAME, a host or a jump host, after comparing its fingerprint.

    On the server's own console `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows it.
    With --fingerprint nothing is asked.

    \b
    Example:
      ops hosts trust fra1
      ops hosts trust fra1 --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s
    """
    host = selection.host_or_jump(selected.fleet, name)
    shown = {key.fingerprint: key.line for key in reading.host_keys(selected.fleet, host)}
    lines = trust.chosen(host, shown, fingerprint) if fingerprint else list(shown.values())
    if not fingerprint:
        for found, line in shown.items():
            click.echo(f"{host.name} shows {found} ({line.split()[1]})")
    if trust.is_known(selected.fleet, host, lines, instead=instead):
        click.echo(f"{name}: was trusted already")
        return
    if not (fingerprint or _compared(host)):
        raise OpsError(f"{name}: nothing was trusted; who is answering there?")
    trust.keep(selected.fleet, host, lines, instead=instead)
    click.echo(f"{name}: trusted from now on")


def _compared(host: Host) -> bool:
    """Return whether a person has found the fingerprints that are shown to be the server's."""
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is here to compare them: give {host.name}'s --fingerprint")
    return click.confirm("Is that what the server's own console shows?")
