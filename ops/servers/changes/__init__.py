"""The effect of a commit on the servers, and the drift of servers from the fleet."""

from ops.servers.changes.drift import Drift, HostDrift
from ops.servers.changes.hosts import Changes, HostChange, between
from ops.servers.changes.revision import fleet_at
from ops.servers.changes.sides import Side
from ops.servers.changes.since import changed_since

__all__ = [
    "Changes",
    "Drift",
    "HostChange",
    "HostDrift",
    "Side",
    "between",
    "changed_since",
    "fleet_at",
]
