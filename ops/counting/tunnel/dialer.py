"""From a host of the fleet to an open line, for many hosts at once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import asyncssh

from ops.counting.tunnel import reach
from ops.counting.tunnel.agent import agent_keys, offers
from ops.counting.tunnel.deadline import Deadline
from ops.counting.tunnel.failures import TROUBLE, HungUpError, tunnel_error, unknown_host_key
from ops.counting.tunnel.known_hosts import Trusted, check_known_hosts, trusted_keys
from ops.counting.tunnel.line import Line
from ops.counting.tunnel.private_folder import private_folder
from ops.counting.tunnel.route import Route, RoutePlanner
from ops.counting.tunnel.turnstile import Turnstile
from ops.errors import TunnelError
from ops.model import Fleet, Host, Ssh

DIRECT = (64, 0.5)
"""Hosts dialled at once, and the patience with them if none gets through. Home routers and one
server's queue of connections (128 in sshd) take this many. A handshake is computed in some 5 ms,
so 64 that do not wait are through in time; fewer at once leave the loop idle more often, and 16
cost a fifth more in all."""
BEHIND_A_JUMP = (8, 0.25)
PROXIED = (8, 2.0)
"""A ProxyCommand is often one more login to a jump host: with its default MaxStartups 8 at once
lost none, 64 lost half of them. A login still pending after 2 s is likely a dead host's."""
PAUSES = (0.1, 0.3)
"""Seconds before a server that hung up is dialled again. While strangers try passwords on a
public server, sshd drops 3 of 10 newcomers unheard (MaxStartups 10:30:100, sshd_config(5))."""

Connection = asyncssh.SSHClientConnection


class Dialer:
    """Dials hosts of one fleet; an async context manager that leaves nothing behind.

    What is parsed (ssh config, known_hosts, ssh keys) and what is shared (the connection to a
    jump host) is held here, once for all hosts.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._known_hosts = fleet.known_hosts
        self._opened = ExitStack()
        self._routes: dict[tuple[str, Ssh, bool], Route] = {}
        self._jumps: dict[Ssh, asyncio.Task[Connection]] = {}
        self._direct, self._proxied = Turnstile(*DIRECT), Turnstile(*PROXIED)
        self._turns_behind: dict[Ssh, Turnstile] = {}

    async def __aenter__(self) -> Self:
        self._folder: Path = self._opened.enter_context(private_folder())
        self._planner = RoutePlanner(self._folder)
        check_known_hosts(self._known_hosts)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._jumps.values():
            task.cancel()
        for outcome in await asyncio.gather(*self._jumps.values(), return_exceptions=True):
            if isinstance(outcome, Connection):
                outcome.abort()
                await outcome.wait_closed()
        self._opened.close()

    @asynccontextmanager
    async def dial(self, host: Host, deadline: Deadline) -> AsyncIterator[Line]:
        """Yield an open line to *host*, hung up at the end.

        Raise TunnelError if it does not stand by *deadline*; an unknown host key is refused.
        """
        route = self.route(host)
        line = Line(host, route, await self._connect(route, deadline), self._folder)
        try:
            yield line
        finally:
            await line.close()

    def route(self, host: Host, *, login: bool = True) -> Route:
        """Return how *host* is reached, found out once; without *login* no ssh key is needed."""
        asked = (host.name, host.ssh, login)  # a jump host may be called like a host of the fleet
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
            except HungUpError:
                if deadline.left <= pause:
                    raise
                await asyncio.sleep(pause)
        return await self._log_in(route, trusted, deadline)

    async def _log_in(self, route: Route, trusted: Trusted, deadline: Deadline) -> Connection:
        async with self.way_to(route, deadline) as way, agent_keys(route.agent) as held:
            settings = dict(route.settings, client_keys=offers(route.credentials, held) or None)
            try:
                return await asyncssh.connect(
                    **way,
                    **settings,
                    known_hosts=trusted.known_hosts,
                    server_host_key_algs=trusted.server_host_key_algs,
                )
            except asyncssh.DisconnectError as error:
                raise tunnel_error(route, error, of_agent=len(held)) from None

    @asynccontextmanager
    async def way_to(self, route: Route, deadline: Deadline) -> AsyncIterator[dict[str, Any]]:
        """Yield asyncssh's options for a handshake by *route*, and hold a turn for it.

        What goes wrong inside, or is not done by *deadline*, is raised as a TunnelError.
        """
        try:
            async with AsyncExitStack() as held:
                way: dict[str, Any] = {"host": route.named, "port": route.port}
                if route.jump:
                    way["tunnel"] = await self._jump(route, route.jump, deadline)
                async with deadline.or_fail(_late(route, "its turn did not come")):
                    await held.enter_async_context(self._turnstile(route).turn())
                if not route.jump and not route.proxied:
                    way["tunnel"] = None
                    way["sock"] = await _greeted_socket(route, deadline)
                    held.push(partial(_close_unless_used, way["sock"]))
                late = _late(route, f"ssh at {route.place} did not let us in")
                async with deadline.or_fail(late):
                    yield way
        except TROUBLE as error:
            raise tunnel_error(route, error) from None

    def _turnstile(self, route: Route) -> Turnstile:
        if route.jump:
            return self._turns_behind.setdefault(route.jump, Turnstile(*BEHIND_A_JUMP))
        return self._proxied if route.proxied else self._direct

    async def _jump(self, route: Route, jump: Ssh, deadline: Deadline) -> Connection:
        """Return the connection to *jump*, made once and shared by all behind it."""
        task = self._jumps.get(jump)
        if task is None or _is_useless(task):
            task = self._jumps[jump] = asyncio.create_task(self._dial_jump(jump, deadline))
        try:
            async with deadline.or_fail(_late(route, f"its jump host {jump.hostname} is silent")):
                # Shielded: the first one to ask may give up, the others still want it.
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


def _is_useless(task: asyncio.Task[Connection]) -> bool:
    """Return whether *task* has failed, or its connection has ended since."""
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().is_closed()


async def _greeted_socket(route: Route, deadline: Deadline) -> socket.socket:
    """Return a socket to *route* on which a server has begun to speak.

    A host that drops every packet, or accepts and is silent, is so told from one that is busy.
    """
    async with deadline.or_fail(_late(route, f"nobody answers at {route.place}")):
        addresses = await reach.resolve(route.hostname, route.port, route.family)
        connection = await reach.connect(addresses)
    try:
        async with deadline.or_fail(_late(route, f"{route.place} accepts, but its sshd is silent")):
            await reach.first_words(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _close_unless_used(
    connection: socket.socket, failure: type[BaseException] | None, *_: object
) -> None:
    if failure:
        connection.close()


def _late(route: Route, what: str) -> TunnelError:
    return TunnelError(route.host, f"{what} in time")
