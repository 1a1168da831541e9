"""A slow cable: this program passes packets from one TAP to another after a delay."""

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_HEADER = 0x0002 | 0x1000
_LARGEST_PACKET = 65535


def tap(name: str) -> int:
    """Make a TAP device, and return its descriptor. Closing it deletes the device."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP_WITHOUT_HEADER))
    return descriptor


def carry(one: int, other: int, seconds: float) -> None:
    """Pass packets between two TAPs for ever, each after *seconds*."""
    way = {one: other, other: one}
    waiting: deque[tuple[float, int, bytes]] = deque()
    while True:
        rest = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([one, other], [], [], rest)
        for source in ready:
            due = time.monotonic() + seconds
            waiting.extend((due, way[source], packet) for packet in _read(source))
        while waiting and waiting[0][0] <= time.monotonic():
            _, target, packet = waiting.popleft()
            _write(target, packet)


def _read(source: int) -> list[bytes]:
    packets = []
    while True:
        try:
            packets.append(os.read(source, _LARGEST_PACKET))
        except OSError:  # no more packets now, or the link is not up yet
            return packets


def _write(target: int, packet: bytes) -> None:
    try:
        os.write(target, packet)
    except OSError:
        return  # a full or cut cable loses packets


if __name__ == "__main__":
    near, far, milliseconds = sys.argv[1:]
    carry(tap(near), tap(far), float(milliseconds) / 1000)
