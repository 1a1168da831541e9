"""What a commit means for the servers, and where the servers are not as the fleet asks."""

from ops.changes.git import differs
from ops.changes.hosts import Changes, HostChange, between
from ops.changes.live import Drift, Standing, drift
from ops.changes.revision import fleet_at
from ops.changes.sides import Side
from ops.changes.since import changed_since

__all__ = [
    "Changes",
    "Drift",
    "HostChange",
    "Side",
    "Standing",
    "between",
    "changed_since",
    "differs",
    "drift",
    "fleet_at",
]
