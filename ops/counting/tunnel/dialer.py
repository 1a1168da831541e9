"""Open ssh connections to many hosts of a fleet at once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh

from ops.counting.tunnel import tcp
from ops.counting.tunnel.agent import agent_keys, offered_keys
from ops.counting.tunnel.deadline import Deadline
from ops.counting.tunnel.failures import (
    TROUBLE,
    ConnectionDroppedError,
    tunnel_error,
    unknown_host_key,
)
from ops.counting.tunnel.known_hosts import Trusted, check_known_hosts, trusted_keys
from ops.counting.tunnel.line import Line
from ops.counting.tunnel.login_limiter import LoginLimiter
from ops.counting.tunnel.private_folder import private_folder
from ops.counting.tunnel.route import Route, RoutePlanner
from ops.errors import TunnelError
from ops.model import Fleet, Host, Ssh

DIRECT = (64, 0.5)
"""Limit and patience for direct logins. Home routers and the connection queue of one server (128
in sshd) take 64 at once. One handshake computes for 5 ms, so 64 live hosts finish within the
patience. With 16 at once, the loop is idle more often and a round takes a fifth longer."""
BEHIND_A_JUMP = (8, 0.25)
PROXIED = (8, 2.0)
"""A ProxyCommand is often one more login to a jump host. With sshd's default MaxStartups, 8 at once
all succeeded, and half of 64 failed. A login that takes over 2 s is likely to a dead host."""
PAUSES = (0.1, 0.3)
"""Seconds before another try after a server closed the connection. While strangers try passwords
on a public server, sshd drops 3 of 10 new connections (MaxStartups 10:30:100, sshd_config(5))."""
_BUSY = "other logins took all the time: raise --timeout, or name fewer hosts"

Connection = asyncssh.SSHClientConnection


class Dialer:
    """Opens ssh connections to the hosts of one fleet. Made by :func:`open_dialer`.

    It holds everything that is parsed once for all hosts (ssh config, known_hosts, ssh keys), and
    the connections to jump hosts, which hosts share.
    """

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self._known_hosts = fleet.known_hosts
        self._folder = folder
        self._planner = RoutePlanner(folder)
        self._routes: dict[tuple[str, Ssh, bool], Route] = {}
        self._jumps: dict[Ssh, asyncio.Task[Connection]] = {}
        self._direct, self._proxied = LoginLimiter(*DIRECT), LoginLimiter(*PROXIED)
        self._behind: dict[Ssh, LoginLimiter] = {}

    async def close(self) -> None:
        """Close the connections to jump hosts."""
        for task in self._jumps.values():
            task.cancel()
        for outcome in await asyncio.gather(*self._jumps.values(), return_exceptions=True):
            if isinstance(outcome, Connection):
                outcome.abort()
                await outcome.wait_closed()

    @asynccontextmanager
    async def dial(self, host: Host, deadline: Deadline) -> AsyncIterator[Line]:
        """Yield an open line to *host*, and close it at the end.

        Raise TunnelError if the login is not done by *deadline*, or if the host key is unknown.
        """
        route = self.route(host)
        line = Line(host, route, await self._connect(route, deadline), self._folder)
        try:
            yield line
        finally:
            await line.close()

    def route(self, host: Host, *, login: bool = True) -> Route:
        """Return the route to *host*, planned once; without *login* no ssh key is needed."""
        asked = (host.name, host.ssh, login)  # a jump host can have the name of a fleet's host
        if asked not in self._routes:
            self._routes[asked] = self._planner.route(host, login=login)
        return self._routes[asked]

    async def _connect(self, route: Route, deadline: Deadline) -> Connection:
        trusted = trusted_keys(self._known_hosts, route.hostname, route.port)
        if trusted is None:
            raise unknown_host_key(route)
        for pause in PAUSES:
            try:
                return await self._log_in(route, trusted, deadline)
            except ConnectionDroppedError:
                if deadline.left <= pause:
                    raise
                await asyncio.sleep(pause)
        return await self._log_in(route, trusted, deadline)

    async def _log_in(self, route: Route, trusted: Trusted, deadline: Deadline) -> Connection:
        async with (
            self.handshake(route, deadline) as arguments,
            agent_keys(route.agent) as from_agent,
        ):
            keys = offered_keys(route.credentials, from_agent)
            settings = dict(route.settings, client_keys=keys or None)
            try:
                return await asyncssh.connect(
                    **arguments,
                    **settings,
                    known_hosts=trusted.known_hosts,
                    server_host_key_algs=trusted.server_host_key_algs,
                )
            except asyncssh.DisconnectError as error:
                raise tunnel_error(route, error, of_agent=len(from_agent)) from None

    @asynccontextmanager
    async def handshake(self, route: Route, deadline: Deadline) -> AsyncIterator[dict[str, Any]]:
        """Yield asyncssh's arguments for one handshake by *route*, and hold a slot for it.

        Raise TunnelError for every failure in the body, and if it does not end by *deadline*.
        """
        try:
            async with AsyncExitStack() as opened:
                arguments: dict[str, Any] = {"host": route.named, "port": route.port}
                if route.jump:
                    arguments["tunnel"] = await self._jump(route, route.jump, deadline)
                busy = TunnelError(route.host, _BUSY)
                async with deadline.or_fail(busy):
                    await opened.enter_async_context(self._limiter(route).slot())
                if not route.jump and not route.proxied:
                    arguments["tunnel"] = None
                    arguments["sock"] = await _connect_to_server(route, deadline)
                    opened.push(partial(_close_unless_used, arguments["sock"]))
                late = _late(route, f"ssh at {route.place} did not finish the login")
                async with deadline.or_fail(late):
                    yield arguments
        except TROUBLE as error:
            raise tunnel_error(route, error) from None

    def _limiter(self, route: Route) -> LoginLimiter:
        if route.jump:
            return self._behind.setdefault(route.jump, LoginLimiter(*BEHIND_A_JUMP))
        return self._proxied if route.proxied else self._direct

    async def _jump(self, route: Route, jump: Ssh, deadline: Deadline) -> Connection:
        """Return the connection to *jump*, made once and shared by all hosts behind it."""
        task = self._jumps.get(jump)
        if task is None or _is_useless(task):
            task = self._jumps[jump] = asyncio.create_task(self._dial_jump(jump, deadline))
        try:
            async with deadline.or_fail(
                _late(route, f"its jump host {jump.hostname} did not answer")
            ):
                # Shielded: if the first host gives up, the others still need the connection.
                return await asyncio.shield(task)
        except TunnelError as error:
            if error.host == route.host:
                raise
            raise TunnelError(route.host, f"its jump host {error}") from None

    async def _dial_jump(self, jump: Ssh, deadline: Deadline) -> Connection:
        route = self.route(Host(name=jump.hostname, ssh=jump))
        if route.jump:
            raise TunnelError(route.host, "is itself behind a jump host: only one is supported")
        return await self._connect(route, deadline)


@asynccontextmanager
async def open_dialer(fleet: Fleet) -> AsyncIterator[Dialer]:
    """Yield a dialer for *fleet*; at the end its connections and its private folder are gone.

    Raise FleetError for a bad known_hosts file, OpsError if no private folder can be made.
    """
    with private_folder() as folder:
        dialer = Dialer(fleet, folder)
        check_known_hosts(fleet.known_hosts)
        try:
            yield dialer
        finally:
            await dialer.close()


def _is_useless(task: asyncio.Task[Connection]) -> bool:
    """Return whether *task* has failed, or its connection has ended since."""
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().is_closed()


async def _connect_to_server(route: Route, deadline: Deadline) -> socket.socket:
    """Return a socket to the server of *route* on which the server has sent something.

    The errors tell a host that drops every packet, or accepts and sends nothing, from a busy one.
    """
    async with deadline.or_fail(_late(route, f"nothing answered at {route.place}")):
        addresses = await tcp.resolve(route.hostname, route.port, route.family)
        connection = await tcp.connect(addresses)
    try:
        async with deadline.or_fail(
            _late(route, f"{route.place} accepts, but its sshd sent nothing")
        ):
            await tcp.wait_for_data(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _close_unless_used(
    connection: socket.socket, failure: type[BaseException] | None, *_: object
) -> None:
    if failure:
        connection.close()


def _late(route: Route, sentence: str) -> TunnelError:
    return TunnelError(route.host, f"{sentence} in time")
