"""``ops diff``: what a commit means for the servers, and where servers are not as it says."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import click

from ops.cli import ledger_access
from ops.cli.options import Format, Selected, host_options, json_option
from ops.cli.printing import console, differences
from ops.errors import LedgerError, UsageError
from ops.fleet import secrets, selection
from ops.model import Fleet
from ops.servers.changes import Changes, Side, between, differs, fleet_at
from ops.servers.changes.drift import drift
from ops.servers.planning.checkout import checkout
from ops.servers.planning.decision import Here

_BESIDE = {
    "inventory/secrets.toml.age": "which secrets changed is not shown; `ops diff --live` compares",
    "requirements.txt": "another xray-ops may write other configs; this one wrote both sides",
}
"""Files that may change what servers get, and that are not compared."""


@click.command()
@click.argument("revision", required=False, metavar="[REV]")
@click.option("--live", is_flag=True, help="Compare with the servers, over ssh.")
@click.option("--exit-code", "as_code", is_flag=True, help="Exit 1 if there is a difference.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="With --live: stop waiting after this many seconds. Late hosts count as failed.",
)
@json_option
@host_options
def diff(
    selected: Selected,
    revision: str | None,
    live: bool,
    as_code: bool,
    timeout: float,
    output: Format,
) -> None:
    """Show the effect of the changes since REV (HEAD) on servers and people.

    The list names the keys that gain or lose access, the cores that restart, and the links that
    end, with the reasons. No server is asked. Secrets are neither needed nor compared nor shown.

    With --live the servers are asked. Drift is everything that a rollout would change, such as a
    damaged or replaced core. + is missing on the server, - is too much, ~ is different. Exit code
    1 means drift, 3 means that a server did not answer.

    \b
    Example:
      ops diff origin/main
      ops diff --live --host fra1
    """
    if live and revision:
        raise UsageError("--live compares this folder with the servers, not a REV: leave one out")
    if live:
        raise click.exceptions.Exit(_drift(selected, timeout, output))
    changes = _changes(selected, revision or "HEAD", output)
    raise click.exceptions.Exit(1 if as_code and changes.hosts else 0)


def _changes(selected: Selected, revision: str, output: Format) -> Changes:
    fleet = selected.fleet
    with fleet_at(fleet.folder, revision) as before:
        names = _names(selected, before, fleet)
        with console.progress("Comparing", len(names)) as advance:
            changes = between(Side(before, revision), Side(fleet), names, advance)
        there = {host.name for host in fleet.hosts}
        deleted = [h.name for h in before.hosts if h.name in names and h.name not in there]
        renamed = not there <= {host.name for host in before.hosts}
    notes = [
        f"{path} is not what it was: {meaning}"
        for path, meaning in _BESIDE.items()
        if differs(fleet.folder, revision, path)
    ]
    notes += _away(fleet, changes)
    notes += _deleted(selected, deleted, renamed=renamed)
    shown = differences.as_json if output == "json" else differences.text
    click.echo(shown(changes, revision, notes))
    return changes


def _away(fleet: Fleet, changes: Changes) -> Iterator[str]:
    """Yield which hosts change, and yet not at the next rollout."""
    changed = {change.host for change in changes.hosts}
    for host in selection.away(fleet.hosts, datetime.now(UTC).date()):
        if host.name in changed and host.maintenance:
            until = host.maintenance.until
            yield f"{host.name} is in maintenance until {until}: rollouts leave it out"


def _deleted(selected: Selected, names: Sequence[str], *, renamed: bool) -> Iterator[str]:
    """Yield for each deleted host whether the ledger has all that it counted.

    A host that is new may be the same server (*renamed*): then nothing is lost.
    """
    if not names:
        return
    try:
        with ledger_access.opened(selected) as ledger:
            states = {state.name: state for state in ledger.hosts()}
    except LedgerError:
        states = {}
    if renamed:
        yield "a server that only gets another name loses nothing: each byte is counted once"
    for name in names:
        state = states.get(name)
        if state is None:
            yield f"{name} is deleted: do so only after `ops status` said that it can be deleted"
        elif state.absent and state.done:
            yield f"{name} can be deleted: nothing is left to fetch from it"
        else:
            yield (
                f"{name} is deleted before its last readings were fetched, so figures of that time "
                'stay at least for ever: set state = "absent", roll out, and run `ops collect` '
                "until `ops status` says that it can be deleted"
            )


def _names(selected: Selected, before: Fleet, now: Fleet) -> list[str]:
    """Return the selected hosts of both fleets, in the order of the new one."""
    both = {host.name: host for fleet in (now, before) for host in fleet.hosts}
    ordered = {host.name: both[host.name] for host in (*now.hosts, *before.hosts)}
    either = replace(now, hosts=tuple(ordered.values()))
    globs = selected.host_globs, selected.group_globs
    return [host.name for host in selection.hosts(either, *globs, even_absent=True)]


def _drift(selected: Selected, timeout: float, output: Format) -> int:
    fleet, hosts = selected.fleet, selected.hosts_even_absent
    here = Here(fleet, secrets.load(fleet), checkout(fleet.folder))
    with console.progress("Comparing", len(hosts)) as advance:
        found = drift(here, hosts, deadline=timeout, advance=advance)
    shown = differences.drift_as_json if output == "json" else differences.drift_text
    click.echo(shown(found))
    console.failures(found.failures)
    drifted = any(standing.drifted for standing in found.standings)
    return console.exit_code(len(hosts), len(found.failures)) or int(drifted)
