"""Open sockets inside a lab's network namespace, from this very process."""

import ctypes
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def socket_inside(namespace: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return a v4 socket that lives in *namespace*; any thread may use it.

    A socket keeps the namespace it was made in, and a namespace is a matter of one thread: so a
    thread of its own enters, makes the socket and is gone.
    """
    with ThreadPoolExecutor(max_workers=1) as visitor:
        return visitor.submit(_enter_and_make, namespace, kind).result()


def _enter_and_make(namespace: Path, kind: socket.SocketKind) -> socket.socket:
    with namespace.open() as place:
        if _libc.setns(place.fileno(), _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))
    return socket.socket(socket.AF_INET, kind)
