"""Send real traffic through a client. Both ends count its bytes."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from lab import socks
from lab.addresses import TARGET
from lab.channel import Channel, TlsChannel, tls_hello
from lab.errors import LabError
from lab.payload import ENDLESS, FILLING, PORT, TLS_PORT, Receipt, Request
from lab.stream import Stream
from lab.waiting import PATIENCE
from lab.world import World

# Every server answers to this: gRPC and HTTP/2 properly, others with an error.
_KNOCK = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Moved:
    """The bytes that went through a client. Both ends counted the same."""

    up: int = 0
    """Payload bytes from the client to the target."""
    down: int = 0
    """Payload bytes from the target to the client."""
    carried_up: int = 0
    """Bytes that the proxy carried, with the headers of the test and the records of TLS."""
    carried_down: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(
            self.up + other.up,
            self.down + other.down,
            self.carried_up + other.carried_up,
            self.carried_down + other.carried_down,
        )


class Client:
    """A running Xray client, with a socks port in the world."""

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.port = port

    def send(
        self,
        *,
        up: int = 0,
        down: int = 0,
        connections: int = 1,
        tls: bool = False,
        rate: int = 0,
        chunk: int = len(FILLING),
        target: str = TARGET,
    ) -> Moved:
        """Move *up* and *down* bytes in total over parallel *connections*. Return the bytes.

        *rate* limits the download of each connection, in bytes a second. *chunk* is the size of
        one write, at most 64 KiB. *target* is a name or an address of the payload server.
        """
        parts = zip(_split(up, connections), _split(down, connections), strict=True)
        size = min(chunk, len(FILLING))
        requests = [Request(up=u, down=d, rate=rate, chunk=size) for u, d in parts]
        with ThreadPoolExecutor(max_workers=connections) as pool:
            moved = pool.map(lambda request: self._move(request, target, tls), requests)
            return sum(moved, Moved())

    @contextmanager
    def stream(self, *, rate: int = 1 << 20, tls: bool = False) -> Iterator[Stream]:
        """Run a download of *rate* bytes a second until the end of the `with` block."""
        channel = self._open(TARGET, tls)
        channel.send(Request(down=ENDLESS, rate=rate).packed())
        stream = Stream(channel)
        try:
            yield stream
        finally:
            stream.close()

    def echo(self, *sizes: int, target: str = TARGET) -> int:
        """Send datagrams of *sizes* to the echo server, and return the bytes that came back."""
        back = 0
        with self._dial() as control, self._datagrams(socks.associate(control)) as relay:
            for size in sizes:
                relay.send(socks.datagram(target, PORT, FILLING[:size]))
                back += len(socks.opened(relay.recv(len(FILLING))))
        return back

    def reaches(
        self, host: str, port: int, *, tls: bool = False, seconds: float = PATIENCE
    ) -> bool:
        """Return whether a server at *host* answers. *host* is an address or a name.

        Only a byte is an answer, because the client reports "connected" before it tries. *tls*
        asks with a ClientHello, because TLS servers answer to nothing else.
        """
        try:
            with self._dial() as proxy:
                proxy.settimeout(seconds)
                socks.connect(proxy, host, port)
                proxy.sendall(tls_hello(host) if tls else _KNOCK)
                return bool(proxy.recv(1))
        except OSError:
            return False

    def _move(self, request: Request, target: str, tls: bool) -> Moved:
        channel = self._open(target, tls)
        try:
            channel.send(request.packed())
            for start in range(0, request.up, request.chunk):
                channel.send(FILLING[: min(request.chunk, request.up - start)])
            down = _swallow(channel, request.down)
            receipt = Receipt.parse(channel.receive_exactly(Receipt.SIZE))
        finally:
            channel.close()
        if (receipt.up, receipt.down) != (request.up, down):
            raise LabError(f"the ends disagree: {receipt} at the target, {request} here")
        return Moved(request.up, down, channel.sent, channel.received)

    def _open(self, target: str, tls: bool) -> Channel:
        proxy = self._dial()
        try:
            socks.connect(proxy, target, TLS_PORT if tls else PORT)
            return TlsChannel(proxy, target, str(self.world.trusted)) if tls else Channel(proxy)
        except BaseException:
            proxy.close()
            raise

    def _dial(self) -> socket.socket:
        proxy = self.world.connect(self.port)
        proxy.settimeout(PATIENCE)
        return proxy

    def _datagrams(self, port: int) -> socket.socket:
        relay = self.world.connect(port, socket.SOCK_DGRAM)
        relay.settimeout(PATIENCE)
        return relay


def _split(total: int, parts: int) -> list[int]:
    """Return *total* split into nearly equal *parts*.

    >>> _split(7, 3)
    [3, 2, 2]
    """
    each, rest = divmod(total, parts)
    return [each + (number < rest) for number in range(parts)]


def _swallow(channel: Channel, count: int) -> int:
    taken = 0
    while taken < count:
        data = channel.receive(min(count - taken, len(FILLING)))
        if not data:
            raise ConnectionResetError(f"cut off after {taken} of {count} bytes")
        taken += len(data)
    return taken
