"""The addresses and ports of this host, read from /proc."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ops.model import layout
from ops.servers.on_host.files import at

TEMPORARY = 0x01
"""The flag of an IPv6 privacy address (IFA_F_TEMPORARY), which changes every day."""
LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""
ACCEPTS = 0x10000
"""The flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON)."""


class Listener(NamedTuple):
    """A process that holds a port, or the socket of the core's API."""

    protocol: str
    """``tcp``, ``udp``, or ``unix`` for the socket; its port is 0."""
    port: int
    pid: int
    program: str
    unit: str = ""
    """The systemd service that the process belongs to."""


def own_addresses() -> list[str]:
    """Return the permanent public addresses of this host, IPv4 first."""
    own = {*_v4(), *_v6()}
    public = [a for a in map(ipaddress.ip_address, own) if a.is_global and not a.is_multicast]
    return [str(a) for a in sorted(public, key=lambda a: (a.version, int(a)))]


def _v4() -> Iterator[str]:
    tree = _read("/proc/net/fib_trie")
    yield from re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", tree)


def _v6() -> Iterator[str]:
    for line in _read("/proc/net/if_inet6").splitlines():
        digits, _, _, scope, flags, _ = line.split()
        if int(scope, 16) == 0 and not int(flags, 16) & TEMPORARY:
            yield str(ipaddress.IPv6Address(int(digits, 16)))


def listeners(besides: int) -> list[Listener]:
    """Return the holders of ports and of the API's socket, except the process *besides*."""
    by_inode = {inode: Listener("unix", 0, 0, "") for inode in _listening_at(layout.SOCKET)}
    for protocol in ("tcp", "udp"):
        for inode, port in _listening(protocol).items():
            by_inode[inode] = Listener(protocol, port, 0, "")
    holders = set()
    for process in at("/proc").glob("[0-9]*"):
        pid = int(process.name)
        inodes = by_inode.keys() & sockets_of(pid) if pid != besides else set()
        if inodes:
            name, unit = program(process), _unit(process)
            holders |= {by_inode[i]._replace(pid=pid, program=name, unit=unit) for i in inodes}
    return sorted(holders)


def ports_of(pid: int) -> set[str]:
    """Return the ports that the process *pid* listens on, such as ``tcp/443``."""
    mine = sockets_of(pid)
    return {
        f"{protocol}/{port}"
        for protocol in ("tcp", "udp")
        for inode, port in _listening(protocol).items()
        if inode in mine
    }


def sockets_of(pid: int) -> set[str]:
    """Return the inodes of the sockets that the process *pid* has open."""
    inodes = set()
    try:
        for handle in os.scandir(at(f"/proc/{pid}/fd")):
            try:
                target = os.readlink(handle.path)  # noqa: PTH115 - faster, for thousands of files
            except OSError:  # closed in the meantime
                continue
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
    except OSError:  # ended in the meantime
        pass
    return inodes


def _listening(protocol: str) -> dict[str, int]:
    """Return the ports of listening sockets, by the inode of the socket."""
    ports = {}
    for table in (protocol, f"{protocol}6"):
        for line in _read(f"/proc/net/{table}").splitlines()[1:]:
            fields = line.split()
            if protocol == "udp" or fields[3] == LISTEN:
                ports[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return ports


def _listening_at(path: str) -> Iterator[str]:
    """Yield the inodes of the unix sockets that listen at *path*."""
    for line in _read("/proc/net/unix").splitlines()[1:]:
        fields = line.split()
        if fields[-1] == path and int(fields[3], 16) & ACCEPTS:
            yield fields[6]


def _unit(process: Path) -> str:
    """Return the systemd service of *process*; empty if it has none."""
    try:
        lines = (process / "cgroup").read_text().splitlines()
    except OSError:
        return ""
    names = (line.rpartition("/")[2] for line in lines)
    return next((name for name in names if name.endswith(".service")), "")


def program(process: Path) -> str:
    """Return the path of the program of *process*, a folder in /proc; empty if unknown."""
    try:
        return str((process / "exe").readlink())
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return at(path).read_text()
    except OSError:
        return ""
