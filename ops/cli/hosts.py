"""``ops hosts``: how the servers are, and first contact with a new one."""

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ops.cli.options import (
    Format,
    Selected,
    fleet_option,
    host_options,
    table_options,
    timeout_option,
)
from ops.cli.printing import console
from ops.counting import reading
from ops.errors import HostError, OpsError, UsageError
from ops.fleet import selection
from ops.model import Fleet, Host
from ops.reporting.traffic import per_key
from ops.servers import trust

if TYPE_CHECKING:
    from ops.counting.reading.commands import Inspection

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
    with console.progress("Asking", len(selected.hosts)) as advance:
        found = reading.inspect_hosts(selected.fleet, selected.hosts, deadline=timeout)
        advance()
    failures = {error.host: error for error in found.failures}
    lines = [_line(host, found.results.get(host.name), failures) for host in selected.hosts]
    if output == "json":
        click.echo(console.as_json(lines))
    else:
        written = console.as_csv if output == "csv" else console.table
        click.echo(written(_HEADINGS, [_row(line) for line in lines]))
    unread = [line for line in lines if line["state"] != "up"]
    console.failures(f"{line['host']}: {line['reason']}" for line in unread)
    raise click.exceptions.Exit(console.exit_code(len(lines), len(unread)))


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
        "counting_since": console.moment(now.counting_since),
        "keys_used": len(per_key(now)),
        "way": now.way,
    }


def _row(line: dict[str, Any]) -> list[str]:
    uptime = line["uptime_seconds"]
    shown = line | {
        "uptime_seconds": "" if uptime is None else console.span(timedelta(seconds=uptime))
    }
    return ["" if value is None else str(value) for value in list(shown.values())[: len(_HEADINGS)]]


@hosts.command("trust")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--fingerprint", metavar="SHA256:...", help="What the one server's console shows.")
@click.option("--replace", "instead", is_flag=True, help="Replace the host key that is known now.")
@fleet_option
def trust_host(
    selected: Selected, names: tuple[str, ...], fingerprint: str | None, instead: bool
) -> None:
    """Learn the ssh host keys of hosts or jump hosts, after comparing their fingerprints.

    NAME can be a glob. No login is made, so no ssh key is needed. On the server's own console
    `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows the fingerprint. With --fingerprint
    nothing is asked.

    The keys are kept in inventory/known_hosts. Its lines are OpenSSH's: lines of a known_hosts file
    that you have already, such as ~/.ssh/known_hosts, can be copied into it.

    \b
    Example:
      ops hosts trust fra1
      ops hosts trust 'fra*' bastion.example.net
      ops hosts trust fra1 --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s
    """
    chosen = _chosen(selected.fleet, names)
    if fingerprint and len(chosen) > 1:
        raise UsageError(f"--fingerprint is that of one server, and {len(chosen)} were named")
    failures = [
        error
        for host in chosen
        if (error := _trust(selected.fleet, host, fingerprint, instead)) is not None
    ]
    if len(chosen) == 1 and failures:
        raise failures[0]
    console.failures(failures)
    unknown = sum(isinstance(error, HostError) for error in failures)
    no = 1 if failures else 0
    raise click.exceptions.Exit(console.exit_code(len(chosen), unknown) or no)


def _chosen(fleet: Fleet, names: tuple[str, ...]) -> tuple[Host, ...]:
    """Return the hosts and jump hosts that *names* mean; ~/.ssh/config is read if need be."""
    try:
        return selection.hosts_or_jumps(fleet, names)
    except UsageError:
        jumps = reading.jump_hosts(fleet)
        if not jumps.keys() & set(names):
            raise
        others = selection.hosts_or_jumps(fleet, [name for name in names if name not in jumps])
        return (*others, *(jumps[name] for name in names if name in jumps))


def _trust(fleet: Fleet, host: Host, fingerprint: str | None, instead: bool) -> OpsError | None:
    """Show the keys of *host*, keep them once compared, and return the reason if that failed."""
    try:
        shown = {key.fingerprint: key.line for key in reading.host_keys(fleet, host)}
        lines = trust.chosen(host, shown, fingerprint) if fingerprint else list(shown.values())
        if not fingerprint:
            for found, line in shown.items():
                click.echo(f"{host.name} shows {found} ({line.split()[1]})")
        if trust.is_known(fleet, host, lines, instead=instead):
            click.echo(f"{host.name}: was trusted already")
            return None
        if not (fingerprint or _compared(host)):
            return OpsError(f"{host.name}: nothing was trusted; who is answering there?")
        trust.keep(fleet, host, lines, instead=instead)
        click.echo(f"{host.name}: trusted from now on")
    except OpsError as error:
        return error
    return None


def _compared(host: Host) -> bool:
    """Return whether a person has found the fingerprints that are shown to be the server's."""
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is here to compare them: give {host.name}'s --fingerprint")
    return click.confirm(f"Is that what {host.name}'s own console shows?")
