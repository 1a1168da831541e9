"""End the connections of clients before the last reading.

With spliced counting, the core counts a download only when its connection ends.
"""

from __future__ import annotations

import time

from ops.servers.on_host import network, service
from ops.servers.on_host.core import LocalApi
from ops.servers.on_host.files import at
from ops.servers.on_host.programs import run

PATIENCE = 3.0
"""Seconds to wait until all connections are closed."""
ESTABLISHED = "01"
"""The state of an open connection in /proc/net/tcp."""


def drain() -> None:
    """Close the inbounds and the sockets of clients, and wait until none is open."""
    config = service.started_config()
    tags = [inbound["tag"] for inbound in config.get("inbounds", [])]
    ports = {str(inbound["port"]) for inbound in config.get("inbounds", [])}
    LocalApi(config).call("rmi", *tags)
    until = time.monotonic() + PATIENCE
    while _open(ports) and time.monotonic() < until:
        for port in sorted(ports):
            run(["ss", "-K", "state", "established", f"( sport = :{port} )"])
        time.sleep(0.02)


def _open(ports: set[str]) -> bool:
    mine = network.sockets_of(service.Service().pid)
    for table in ("tcp", "tcp6"):
        for line in at(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            port = str(int(fields[1].rpartition(":")[2], 16))
            if fields[3] == ESTABLISHED and port in ports and fields[9] in mine:
                return True
    return False
