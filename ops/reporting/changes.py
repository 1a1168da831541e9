"""The effect of a commit on servers and people, and the drift of servers from the inventory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ops.counting.reading import DRIFT_DEADLINE
from ops.errors import LedgerError
from ops.fleet import selection as of_fleet
from ops.fleet.git import differs
from ops.fleet.secrets.fill import departed
from ops.model import Fleet, Host
from ops.reporting.leaving import about_deleted
from ops.reporting.selection import Selection
from ops.servers.changes import Changes, Drift, Side, between, fleet_at
from ops.servers.changes import drift as drifting
from ops.servers.planning.checkout import checkout
from ops.servers.planning.decision import LoadedFleet

Progress = Callable[[int], AbstractContextManager[Callable[[], None]]]
"""Begins to show the progress of a number of steps; the value is called after each step."""
_BESIDE = {
    "inventory/secrets.toml.age": "changed secrets are not shown; `ops diff --servers` compares",
    "requirements.txt": "another xray-ops may write other configs; this one wrote both sides",
}
"""Files that may change the servers, but are not compared: the note about each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """The changes since a commit, and notes for the operator."""

    revision: str
    changes: Changes
    notes: tuple[str, ...]


def _silent(_: int) -> AbstractContextManager[Callable[[], None]]:
    return nullcontext(lambda: None)


def changes_since(
    selection: Selection, revision: str = "HEAD", progress: Progress = _silent
) -> ChangeReport:
    """Return the effect of the changes since *revision* on the selected hosts. Reads no server.

    Raises FleetError if git does not know the revision, or if the fleet was not valid then.
    """
    fleet = selection.fleet
    with fleet_at(fleet.folder, revision) as before:
        names = _names(selection, before)
        with progress(len(names)) as advance:
            changes = between(Side(before, revision), Side(fleet), names, advance)
        renamed = dict(_renamed(before, fleet))
        old, new = ({host.name for host in side.hosts} for side in (before, fleet))
        gone = set(names) - new - renamed.keys()
        deleted = [host.name for host in before.hosts if host.name in gone]
    notes = [
        f"{path} differs: {note}"
        for path, note in _BESIDE.items()
        if differs(fleet.folder, revision, path)
    ]
    notes += _maintenance(fleet, changes)
    notes += [_note_of_rename(fleet, *names) for names in renamed.items()]
    notes += _deleted(selection, deleted, renamed=not new <= old)
    return ChangeReport(revision=revision, changes=changes, notes=tuple(notes))


def drift(
    selection: Selection, *, deadline: float = DRIFT_DEADLINE, progress: Progress = _silent
) -> Drift:
    """Compare the selected servers, absent ones included, with the inventory over ssh.

    Raises SecretsError if secrets of a host are missing, FleetError if a host cannot be rendered.
    """
    from ops.fleet import secrets  # pydantic and tomlkit take 150 ms to import

    fleet, hosts = selection.fleet, selection.hosts_even_absent
    loaded = LoadedFleet(fleet, secrets.load(fleet), checkout(fleet.folder))
    with progress(len(hosts)) as advance:
        return drifting.drift(loaded, hosts, deadline=deadline, advance=advance)


def _names(selection: Selection, before: Fleet) -> list[str]:
    """Return the selected hosts of both fleets, in the order of the new one."""
    now = selection.fleet
    both = {host.name: host for fleet in (now, before) for host in fleet.hosts}
    ordered = {host.name: both[host.name] for host in (*now.hosts, *before.hosts)}
    either = replace(now, hosts=tuple(ordered.values()))
    globs = selection.host_globs, selection.group_globs
    return [host.name for host in of_fleet.hosts(either, *globs, even_absent=True)]


def _maintenance(fleet: Fleet, changes: Changes) -> Iterator[str]:
    """Yield a note for each changed host in maintenance, because the next rollout skips it."""
    changed = {change.host for change in changes.hosts}
    for host in of_fleet.away(fleet.hosts, datetime.now(UTC).date()):
        if host.name in changed and host.maintenance:
            until = host.maintenance.until
            yield f"{host.name} is in maintenance until {until}: rollouts leave it out"


def _renamed(before: Fleet, now: Fleet) -> Iterator[tuple[str, str]]:
    """Yield the old and the new name of each server that has a new name and the old address."""
    old, new = ({host.name: host for host in side.hosts} for side in (before, now))
    came = {place: name for name in new.keys() - old.keys() for place in _places(new[name])}
    for name in sorted(old.keys() - new.keys()):
        if found := [came[place] for place in _places(old[name]) if place in came]:
            yield name, found[0]


def _places(host: Host) -> list[str]:
    return [place for place in (host.ssh.place, *host.address) if place]


def _note_of_rename(fleet: Fleet, old: str, new: str) -> str:
    same = f"{new} has the address of {old}: a server that only gets another name loses nothing"
    if not any(owner.split("/")[0] == old for owner in departed(fleet)):
        return same
    return f"{same}, if `ops secrets rename {old} {new}` keeps its links before the rollout"


def _deleted(selection: Selection, names: Sequence[str], *, renamed: bool) -> list[str]:
    if not names:
        return []
    try:
        with selection.open_ledger() as ledger:
            states = ledger.hosts()
    except LedgerError:
        states = []
    return list(about_deleted(states, names, renamed=renamed))
