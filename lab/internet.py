"""The servers of the world: a payload server, plain and with TLS, and a web site.

Run this inside the world's namespace: ``python -m lab.internet CERTIFICATE KEY``.
"""

import asyncio
import contextlib
import ssl
import sys
from typing import cast

from lab import website
from lab.addresses import TARGET4, TARGET6
from lab.payload import FILLING, PORT, SITE_PORT, TLS_PORT, Receipt, Request

_BACKLOG = 1024
_TICKS = 20
"""The number of portions a second of a slow stream."""


async def move(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one payload connection."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        request = Request.parse(await reader.readexactly(Request.SIZE))
        if request:
            up = await _take(reader, request.up)
            await _give(writer, request)
            writer.write(Receipt(up, request.down).packed())
        else:
            writer.write(b"?")  # a probe, not a client of this protocol
        await writer.drain()
        await reader.read()  # the client closes first, so that no byte is lost
    writer.transport.abort()  # without the last TLS record, because no end counts it


async def _take(reader: asyncio.StreamReader, wanted: int) -> int:
    taken = 0
    while taken < wanted:
        data = await reader.read(min(wanted - taken, len(FILLING)))
        if not data:
            raise asyncio.IncompleteReadError(data, wanted)
        taken += len(data)
    return taken


async def _give(writer: asyncio.StreamWriter, request: Request) -> None:
    given = 0
    size = min(request.chunk, max(1, request.rate // _TICKS)) if request.rate else request.chunk
    start = asyncio.get_running_loop().time()
    while given < request.down:
        portion = min(request.down - given, size)
        writer.write(FILLING[:portion])
        await writer.drain()
        given += portion
        if request.rate:
            ahead = start + given / request.rate - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, ahead))


class Echo(asyncio.DatagramProtocol):
    """A server that sends every datagram back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport for the answers."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Send *data* back."""
        self.transport.sendto(data, address)


def tls(certificate: str, key: str) -> ssl.SSLContext:
    """Return the TLS settings that a target of REALITY needs: TLS 1.3 with HTTP/2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def serve(certificate: str, key: str) -> None:
    """Serve for ever, on IPv4 and IPv6."""
    context = tls(certificate, key)
    loop = asyncio.get_running_loop()
    for address in (
        TARGET4,
        TARGET6,
    ):  # without a wildcard, so that answers have the right source address
        await loop.create_datagram_endpoint(Echo, local_addr=(address, PORT))
    await asyncio.start_server(move, None, PORT, backlog=_BACKLOG)
    await asyncio.start_server(move, None, TLS_PORT, ssl=context, backlog=_BACKLOG)
    site = await asyncio.start_server(
        website.answer, None, SITE_PORT, ssl=context, backlog=_BACKLOG
    )
    await site.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
