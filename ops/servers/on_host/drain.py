"""End the clients' connections before the last reading: what is spliced is counted when it ends."""

from __future__ import annotations

import time

from ops.servers.on_host import network, service
from ops.servers.on_host.core import LocalApi
from ops.servers.on_host.files import at
from ops.servers.on_host.programs import run

PATIENCE = 3.0
ESTABLISHED = "01"


def drain() -> None:
    """Close the inbounds and the clients' sockets, and wait until the core has none left."""
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
