"""ssh: a host becomes a line, on which commands run and its API can be reached. No gRPC here."""

from ops.counting.tunnel import asyncssh_import  # noqa: F401 (before all that import asyncssh)
from ops.counting.tunnel.commands import CommandError
from ops.counting.tunnel.deadline import Deadline
from ops.counting.tunnel.dialer import Dialer
from ops.counting.tunnel.host_keys import HostKey, shown_host_keys
from ops.counting.tunnel.line import Line

__all__ = ["CommandError", "Deadline", "Dialer", "HostKey", "Line", "shown_host_keys"]
