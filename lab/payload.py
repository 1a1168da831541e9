"""What a client and the world's payload server say to each other, so that both ends count.

The client sends a request, then as many bytes as it announced; the server answers with as many
bytes as it was asked for, then a receipt of what it read and wrote.
"""

import os
import struct
from dataclasses import dataclass
from typing import ClassVar, Self

PORT = 7000
"""TCP, and UDP: whatever comes is sent back."""
TLS_PORT = 7443
SITE_PORT = 443

ENDLESS = 2**62
"""Bytes to ask for when the stream is to last until it is closed."""
FILLING = os.urandom(1 << 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one connection is to move.

    >>> Request.parse(Request(up=1, down=2).packed()) == Request(up=1, down=2)
    True
    """

    _FORM: ClassVar[struct.Struct] = struct.Struct("!4sQQQI")
    _MAGIC: ClassVar[bytes] = b"MOVE"
    SIZE: ClassVar[int] = _FORM.size

    up: int = 0
    down: int = 0
    rate: int = 0
    """Bytes a second from the server; 0 is as fast as it goes."""
    chunk: int = len(FILLING)
    """Bytes handed to the network at once."""

    def packed(self) -> bytes:
        """Return its bytes."""
        return self._FORM.pack(self._MAGIC, self.up, self.down, self.rate, self.chunk)

    @classmethod
    def parse(cls, data: bytes) -> Self | None:
        """Return the request in *data*; nothing if it is none."""
        magic, up, down, rate, chunk = cls._FORM.unpack(data)
        if magic != cls._MAGIC:
            return None
        return cls(up=up, down=down, rate=rate, chunk=chunk)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the server counted of one connection's payload."""

    _FORM: ClassVar[struct.Struct] = struct.Struct("!QQ")
    SIZE: ClassVar[int] = _FORM.size

    up: int
    down: int

    def packed(self) -> bytes:
        """Return its bytes."""
        return self._FORM.pack(self.up, self.down)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the receipt in *data*."""
        return cls(*cls._FORM.unpack(data))
