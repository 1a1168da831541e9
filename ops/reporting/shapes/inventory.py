"""The JSON of the inventory and of changes to it: keys, changes since a commit, drift."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ops.model import Host, Key
from ops.reporting.access import opened
from ops.reporting.shapes.values import failures

if TYPE_CHECKING:
    from ops.reporting.changes import ChangeReport
    from ops.servers.changes import Drift


def keys(hosts: Sequence[Host], keys: Iterable[Key]) -> list[dict[str, Any]]:
    """Return the JSON of `ops keys`: each key with the inbounds of *hosts* that it opens."""
    return [{"key": key.name, "note": key.note, "opens": opened(hosts, key)} for key in keys]


def changes(report: "ChangeReport") -> dict[str, Any]:
    """Return the JSON of `ops diff`."""
    return {
        "since": report.revision,
        "hosts": [asdict(change) for change in report.changes.hosts],
        "unchanged": report.changes.unchanged,
        "notes": list(report.notes),
    }


def drift(drift: "Drift") -> dict[str, Any]:
    """Return the JSON of `ops diff --servers`."""
    return {
        "hosts": [
            {
                "host": host.host,
                "drifted": host.drifted,
                "changes": list(host.lines),
                "refusal": host.refusal or None,
            }
            for host in drift.hosts
        ],
        "unknown": failures(drift.failures),
    }
