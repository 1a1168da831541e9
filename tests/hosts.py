"""What a look at a host finds."""

from typing import Any

from ops.servers.on_host import places, users
from ops.servers.on_host.state import HostState
from ops.servers.planning.wanted import Wanted


def healthy(wanted: Wanted, **changes: Any) -> HostState:
    """Return a host that has all that is *wanted*, and runs it."""
    config = dict(wanted.config)
    state = HostState(
        machine="x86_64",
        disk=wanted.digests,
        releases=[wanted.release],
        active="active",
        started_core=wanted.release,
        started_frame=wanted.frame,
        started_unit=wanted.digests[places.UNIT],
        users=wanted.fingerprints,
        file_users=wanted.fingerprints,
        inbound_secrets=users.inbound_secrets(config),
    )
    return state._replace(**changes)
