"""A connection through a proxy that counts its bytes, with or without TLS inside."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")
_MUCH = 1 << 16


class Channel:
    """One connection. It counts the bytes that the proxy carries, with TLS those of the records."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self.sent = 0
        self.received = 0

    def send(self, data: bytes) -> None:
        """Send all of *data*."""
        self._socket.sendall(data)
        self.sent += len(data)

    def receive(self, most: int = _MUCH) -> bytes:
        """Return the next bytes, at least one; none at the end of the connection."""
        data = self._socket.recv(most)
        self.received += len(data)
        return data

    def receive_exactly(self, count: int) -> bytes:
        """Return *count* bytes; ConnectionResetError if the connection ends before."""
        data = b""
        while len(data) < count:
            more = self.receive(count - len(data))
            if not more:
                raise ConnectionResetError(f"cut off {count - len(data)} bytes before the end")
            data += more
        return data

    def close(self) -> None:
        """Close the connection. A thread that is receiving gets the end."""
        with suppress(OSError):  # it is closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class TlsChannel(Channel):
    """A connection with TLS 1.3 inside. TLS writes to memory, where its records are counted."""

    def __init__(self, plain: socket.socket, name: str, trusted: str) -> None:
        super().__init__(plain)
        context = ssl.create_default_context(cafile=trusted)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._work(self._session.do_handshake)

    def send(self, data: bytes) -> None:
        """Send all of *data*."""
        self._work(lambda: self._session.write(data))

    def receive(self, most: int = _MUCH) -> bytes:
        """Return the next bytes, at least one; none at the end of the connection."""
        try:
            return self._work(lambda: self._session.read(most))
        except ssl.SSLZeroReturnError:
            return b""

    def _work(self, step: Callable[[], _T]) -> _T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                data = Channel.receive(self)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            super().send(self._outgoing.read())


def tls_hello(name: str) -> bytes:
    """Return a TLS ClientHello for the server *name*."""
    context = ssl.create_default_context()
    words = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), words, server_hostname=name).do_handshake()
    return words.read()
