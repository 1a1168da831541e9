"""The text of changes and of drift; hosts with the same change share one paragraph."""

import re
from collections.abc import Iterator
from dataclasses import replace

import click

from ops.model.phrases import listed
from ops.reporting.changes import ChangeReport
from ops.servers.changes import Changes, Drift, HostChange, HostDrift

_MEANING = {
    "new": "new: the next rollout installs the core",
    "absent": "absent: the next rollout removes the core",
    "forgotten": 'forgotten: its core still runs for all its keys; `state = "absent"` removes it',
    "restart": "the core restarts",
    "hot": "the running core takes the change: nobody is disconnected",
    "files": "the core runs on as it is",
    "links": "no rollout is needed",
}
_COUNTED = {
    "new": "new",
    "absent": "without a core",
    "forgotten": "forgotten",
    "restart": "restarted",
    "hot": "changed hot",
    "files": "with other files only",
    "links": "with other links only",
}
_COMMIT = re.compile("[0-9a-f]{40,64}")


def text(report: ChangeReport) -> str:
    """Return *report* for people."""
    alike: dict[str, list[HostChange]] = {}
    for change in report.changes.hosts:
        alike.setdefault(repr(replace(change, host="")), []).append(change)
    lines = []
    for change, *others in alike.values():
        hosts = [change.host, *(other.host for other in others)]
        heading = click.style(listed(hosts, noun="hosts"), bold=True)
        lines += [heading, *(f"  {line}" for line in _lines(change))]
    notes = (f"note: {note}" for note in report.notes)
    return "\n".join([*lines, *notes, _summary(report.changes, report.revision)])


def _lines(change: HostChange) -> Iterator[str]:
    for sign, colour, access in (("+", "green", change.gained), ("-", "red", change.lost)):
        for key, inbounds in access.items():
            yield click.style(f"{sign} key {key} on {', '.join(inbounds)}", fg=colour)
    for inbound in change.links:
        parts = ", ".join(change.why_links.get(inbound, ()))
        line = f"~ links to {inbound}: its keys need new ones{f' ({parts})' if parts else ''}"
        yield click.style(line, fg="yellow")
    for path, sign in change.files.items():
        yield f"{sign} {path}"
    why = f": {', '.join(change.why)}" if change.why else ""
    yield f"{_MEANING[change.effect]}{why}"


def _summary(changes: Changes, revision: str) -> str:
    effects = [change.effect for change in changes.hosts]
    counts = [f"{effects.count(e)} {text}" for e, text in _COUNTED.items() if e in effects]
    counts.append(f"{changes.unchanged} as they were")
    named = revision[:12] if _COMMIT.fullmatch(revision) else revision
    return f"since {named}: hosts {', '.join(counts)}"


def drift_text(drift: Drift) -> str:
    """Return *drift* for people: a line for each difference."""
    lines = [line for host in drift.hosts for line in _of_host(host)]
    drifted = sum(host.drifted for host in drift.hosts)
    asked = len(drift.hosts) - drifted
    unknown = f", {len(drift.failures)} unknown" if drift.failures else ""
    return "\n".join([*lines, f"hosts: {drifted} drifted, {asked} as the inventory asks{unknown}"])


def _of_host(host: HostDrift) -> Iterator[str]:
    for line in host.lines:
        yield f"{host.host}: {line}"
    if host.refusal:
        refused = f"{host.host}: a rollout would refuse: {host.refusal}"
        yield click.style(refused, fg="yellow")
