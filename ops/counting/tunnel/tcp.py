"""Connect a TCP socket to a host name, and wait until the server has sent something."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
Address = tuple[Any, ...]
"""One result of ``getaddrinfo``: family, type, protocol, canonical name, socket address."""

HEAD_START = 0.25
"""Seconds after which the next address is tried as well (RFC 8305, section 5)."""


async def resolve(hostname: str, port: int, family: int) -> list[Address]:
    """Return the addresses of *hostname*; OSError if it has none."""

    def look_up(flags: int = 0) -> list[Address]:
        return socket.getaddrinfo(hostname, port, family, socket.SOCK_STREAM, flags=flags)

    try:
        return look_up(socket.AI_NUMERICHOST)  # without a name server
    except socket.gaierror:
        return await _in_thread(look_up)


async def connect(addresses: list[Address]) -> socket.socket:
    """Return a socket connected to the first of *addresses* that answers; OSError if none does."""
    attempts = [
        asyncio.create_task(_connect(address, delay=HEAD_START * place))
        for place, address in enumerate(addresses)
    ]
    winner: socket.socket | None = None
    failure = OSError("no address")
    try:
        for attempt in asyncio.as_completed(attempts):
            try:
                winner = await attempt
            except OSError as error:
                failure = error
            else:
                return winner
    finally:
        await _close_all_but(winner, attempts)
    raise failure


async def _connect(address: Address, delay: float) -> socket.socket:
    family, kind, protocol, _, socket_address = address
    await asyncio.sleep(delay)
    connection = socket.socket(family, kind, protocol)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, socket_address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _close_all_but(
    winner: socket.socket | None, attempts: list[asyncio.Task[socket.socket]]
) -> None:
    for attempt in attempts:
        attempt.cancel()
    for outcome in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(outcome, socket.socket) and outcome is not winner:
            outcome.close()


async def wait_for_data(connection: socket.socket) -> None:
    """Wait until the server has sent something or closed *connection*; read nothing."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def on_readable() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(connection, on_readable)
    try:
        await readable
    finally:
        loop.remove_reader(connection)


async def _in_thread(work: Callable[[], T]) -> T:
    """Return the result of *work*, done in a daemon thread.

    A silent name server thus cannot delay the end of this program.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(set_outcome: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():
            set_outcome(value)

    def run() -> None:
        try:
            settled: tuple[Callable[[Any], None], Any] = (outcome.set_result, work())
        except OSError as error:
            settled = (outcome.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed, so nothing waits for the result
            loop.call_soon_threadsafe(settle, *settled)

    threading.Thread(target=run, name="resolve", daemon=True).start()
    return await outcome
