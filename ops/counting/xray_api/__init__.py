"""Read Xray's API: turn gRPC replies, or the core's printout, into a reading. No ssh here."""

import os

# gRPC reads this at its import. At its default level it writes to stderr when a core restarts.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

from ops.counting.xray_api.client import Api, open_api, read
from ops.counting.xray_api.counters import reading_of
from ops.counting.xray_api.printed import printed_command, printing_failed, read_printed
from ops.counting.xray_api.statuses import UnavailableError

__all__ = [
    "Api",
    "UnavailableError",
    "open_api",
    "printed_command",
    "printing_failed",
    "read",
    "read_printed",
    "reading_of",
]
