"""What a commit means for the servers, and where the servers are not as the fleet asks."""

from ops.servers.changes.drift import Drift, Standing
from ops.servers.changes.git import differs
from ops.servers.changes.hosts import Changes, HostChange, between
from ops.servers.changes.revision import fleet_at
from ops.servers.changes.sides import Side
from ops.servers.changes.since import changed_since

__all__ = [
    "Changes",
    "Drift",
    "HostChange",
    "Side",
    "Standing",
    "between",
    "changed_since",
    "differs",
    "fleet_at",
]
