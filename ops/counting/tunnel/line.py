"""An ssh connection to one host: run commands over it, or forward the host's API."""

import itertools
import math
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

from ops.counting.tunnel.commands import FloodError, execute, output_of
from ops.counting.tunnel.deadline import Deadline
from ops.counting.tunnel.failures import TROUBLE
from ops.counting.tunnel.frame import framed
from ops.counting.tunnel.route import Route
from ops.errors import TunnelError
from ops.model import Host
from ops.model.layout import API_PORT, SOCKET

_numbers = itertools.count()


class Line:
    """An open ssh connection to *host*."""

    def __init__(
        self, host: Host, route: Route, connection: asyncssh.SSHClientConnection, folder: Path
    ) -> None:
        self.host = host
        self._route = route
        self._connection = connection
        self._folder = folder

    @asynccontextmanager
    async def api_target(self) -> AsyncIterator[str]:
        """Yield a gRPC target for the host's API: a unix socket here that ssh forwards."""
        path = self._folder / f"{next(_numbers)}.sock"
        if self.host.api == "socket":
            forward = self._connection.forward_local_path(str(path), SOCKET)
        else:
            forward = self._connection.forward_local_path_to_port(str(path), "127.0.0.1", API_PORT)
        try:
            listener = await forward
        except TROUBLE as error:
            raise self._broken(error) from None
        try:
            yield f"unix:{path}"
        finally:
            listener.close()
            path.unlink(missing_ok=True)

    async def refusal(self, deadline: Deadline) -> str:
        """Return sshd's reason for refusing to forward to the API; empty if it does not refuse.

        A refused connection to the forwarded socket is only closed, without a reason. So this
        method opens one channel itself.
        """
        if self.host.api == "socket":
            opening = self._connection.open_unix_connection(SOCKET, encoding=None)
        else:
            opening = self._connection.open_connection("127.0.0.1", API_PORT, encoding=None)
        try:
            async with deadline.or_fail(self._late("opening a channel")):
                _, writer = await opening
        except asyncssh.ChannelOpenError as error:
            return error.reason
        except TROUBLE as error:
            raise self._broken(error) from None
        writer.close()
        return ""

    async def run(
        self, command: str, deadline: Deadline, *, as_root: bool = True, stdin: str = ""
    ) -> str:
        """Run *command* in the host's shell, and return its own output.

        With *as_root* it runs as root, by sudo if the ssh user is another one. *stdin* is its
        standard input. The host ends it soon after *deadline*.

        Raise CommandError if its exit status is not 0. Raise TunnelError if it does not end in
        time, or if it prints too much; in the second case the line is closed.
        """
        mark = secrets.token_hex(8)
        words = framed(command, mark, seconds=math.ceil(deadline.left) + 1)
        if as_root and self._route.user != "root":
            words = f"env LC_ALL=C sudo -n -- {words}"
        name, late = self.host.name, self._late("a command")
        try:
            async with deadline.or_fail(late):
                printed = await execute(self._connection, words, stdin, mark, name)
            return output_of(printed, mark, name, self._route.user)
        except FloodError:
            self._connection.abort()
            raise
        except TROUBLE as error:
            raise self._broken(error) from None

    def _late(self, work: str) -> TunnelError:
        return TunnelError(self.host.name, f"ssh is up, but {work} did not end in time")

    def _broken(self, error: Exception) -> TunnelError:
        return TunnelError(self.host.name, f"its ssh connection broke: {error}")

    async def close(self) -> None:
        """Close the connection at once, without waiting for the server."""
        self._connection.abort()
        await self._connection.wait_closed()
