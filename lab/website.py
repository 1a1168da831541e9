"""A web site of one page, over HTTP/2 and HTTP/1.1. Strangers at a REALITY port see it."""

import asyncio
import contextlib
import struct

PAGE = b"This is the lab's web site.\n"

_FRAME = struct.Struct("!BHBBI")  # 24 bits of length, type, flags, stream
_DATA, _HEADERS, _SETTINGS, _PING, _GOAWAY = 0, 1, 4, 6, 7
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_STATUS_200 = b"\x88"  # entry 8 of HPACK's static table


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection, in the protocol of its TLS handshake."""
    session = writer.get_extra_info("ssl_object")
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        if session.selected_alpn_protocol() == "h2":
            await _http2(reader, writer)
        else:
            await _http1(reader, writer)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _http1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(PAGE)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + PAGE)
    await writer.drain()


async def _http2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    writer.write(_frame(_SETTINGS))
    while True:
        high, low, kind, flags, stream = _FRAME.unpack(await reader.readexactly(_FRAME.size))
        body = await reader.readexactly(high << 16 | low)
        if kind == _GOAWAY:
            return
        if kind in (_SETTINGS, _PING) and not flags & _ACK:
            writer.write(_frame(kind, body if kind == _PING else b"", _ACK))
        if kind == _HEADERS:
            writer.write(_frame(_HEADERS, _STATUS_200, _END_HEADERS, stream))
            writer.write(_frame(_DATA, PAGE, _END_STREAM, stream))
        await writer.drain()


def _frame(kind: int, body: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    return _FRAME.pack(len(body) >> 16, len(body) & 0xFFFF, kind, flags, stream) + body
