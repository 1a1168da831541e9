"""Open sockets inside a lab's network namespace, from this process."""

import ctypes
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def socket_inside(namespace: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return an IPv4 socket in *namespace*. Any thread may use it.

    Each thread has a namespace, and a socket stays in the namespace of its creation. So a new
    thread enters *namespace*, makes the socket and ends.
    """
    with ThreadPoolExecutor(max_workers=1) as visitor:
        return visitor.submit(_enter_and_make, namespace, kind).result()


def _enter_and_make(namespace: Path, kind: socket.SocketKind) -> socket.socket:
    with namespace.open() as place:
        if _libc.setns(place.fileno(), _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))
    return socket.socket(socket.AF_INET, kind)
