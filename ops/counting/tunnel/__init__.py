"""Open ssh connections to hosts, run commands on them, and forward their API. No gRPC here."""

from ops.counting.tunnel import asyncssh_import  # noqa: F401 (must come before all other imports of asyncssh)
from ops.counting.tunnel.commands import CommandError
from ops.counting.tunnel.deadline import Deadline
from ops.counting.tunnel.dialer import Dialer, open_dialer
from ops.counting.tunnel.host_keys import HostKey, shown_host_keys
from ops.counting.tunnel.line import Line

__all__ = [
    "CommandError",
    "Deadline",
    "Dialer",
    "HostKey",
    "Line",
    "open_dialer",
    "shown_host_keys",
]
