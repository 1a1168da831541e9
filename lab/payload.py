"""The protocol of the payload server, in which both ends count the bytes.

The client sends a request, and then the announced bytes. The server sends the requested bytes,
and then a receipt with the bytes that it read and wrote.
"""

import os
import struct
from dataclasses import dataclass
from typing import ClassVar, Self

PORT = 7000
"""TCP for this protocol. On UDP the server sends every datagram back."""
TLS_PORT = 7443
SITE_PORT = 443

ENDLESS = 2**62
"""The requested bytes of a stream that lasts until the client closes it."""
FILLING = os.urandom(1 << 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The bytes to move through one connection.

    >>> Request.parse(Request(up=1, down=2).packed()) == Request(up=1, down=2)
    True
    """

    _FORM: ClassVar[struct.Struct] = struct.Struct("!4sQQQI")
    _MAGIC: ClassVar[bytes] = b"MOVE"
    SIZE: ClassVar[int] = _FORM.size

    up: int = 0
    down: int = 0
    rate: int = 0
    """Bytes a second from the server. 0 is without a limit."""
    chunk: int = len(FILLING)
    """The size of one write, in bytes."""

    def packed(self) -> bytes:
        """Return the packed bytes."""
        return self._FORM.pack(self._MAGIC, self.up, self.down, self.rate, self.chunk)

    @classmethod
    def parse(cls, data: bytes) -> Self | None:
        """Return the request in *data*; None if it is no request."""
        magic, up, down, rate, chunk = cls._FORM.unpack(data)
        if magic != cls._MAGIC:
            return None
        return cls(up=up, down=down, rate=rate, chunk=chunk)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The payload bytes of one connection, as the server counted them."""

    _FORM: ClassVar[struct.Struct] = struct.Struct("!QQ")
    SIZE: ClassVar[int] = _FORM.size

    up: int
    down: int

    def packed(self) -> bytes:
        """Return the packed bytes."""
        return self._FORM.pack(self.up, self.down)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the receipt in *data*."""
        return cls(*cls._FORM.unpack(data))
