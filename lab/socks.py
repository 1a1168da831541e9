"""A small SOCKS 5 client (RFC 1928), for the socks inbound of the Xray client."""

import socket
import struct
from ipaddress import ip_address

from lab.errors import LabError

_CONNECT, _ASSOCIATE = 1, 3
_IPV4, _NAME, _IPV6 = 1, 3, 4


def connect(proxy: socket.socket, host: str, port: int) -> None:
    """Ask the proxy behind a connected socket to connect to *host*, a name or an address."""
    _ask(proxy, _CONNECT, host, port)


def associate(proxy: socket.socket) -> int:
    """Ask the proxy to relay datagrams; return the port on 127.0.0.1 that takes them."""
    return _ask(proxy, _ASSOCIATE, "0.0.0.0", 0)  # noqa: S104  # any source address


def datagram(host: str, port: int, data: bytes) -> bytes:
    """Return *data* as a datagram for the relay."""
    return b"\0\0\0" + destination(host, port) + data


def opened(packet: bytes) -> bytes:
    """Return the data in a datagram from the relay."""
    lengths = {_IPV4: 4, _IPV6: 16, _NAME: 1 + packet[4]}
    return packet[4 + lengths[packet[3]] + 2 :]


def destination(host: str, port: int) -> bytes:
    """Return *host* and *port* in the form of the protocol.

    >>> destination("example.org", 80)
    b'\\x03\\x0bexample.org\\x00P'
    """
    try:
        packed = ip_address(host).packed
        place = bytes([_IPV4 if len(packed) == 4 else _IPV6]) + packed
    except ValueError:
        name = host.encode("idna")
        place = bytes([_NAME, len(name)]) + name
    return place + struct.pack("!H", port)


def _ask(proxy: socket.socket, command: int, host: str, port: int) -> int:
    proxy.sendall(b"\x05\x01\x00")  # version 5, one method: no login
    if _exactly(proxy, 2) != b"\x05\x00":
        raise LabError("the client's socks inbound wants a login, and the lab has none")
    proxy.sendall(bytes([5, command, 0]) + destination(host, port))
    _, status, _, kind = _exactly(proxy, 4)
    if status:
        raise ConnectionRefusedError(f"the client refuses {host}:{port} (socks status {status})")
    length = _exactly(proxy, 1)[0] if kind == _NAME else {_IPV4: 4, _IPV6: 16}[kind]
    _exactly(proxy, length)
    (bound,) = struct.unpack("!H", _exactly(proxy, 2))
    return int(bound)


def _exactly(proxy: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = proxy.recv(count - len(data))
        if not more:
            raise ConnectionResetError("the client closed the connection")
        data += more
    return data
