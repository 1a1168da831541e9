"""An ssh connection to one host: run a command on it, or reach its API through it."""

import itertools
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh

from ops.errors import HostError, TunnelError
from ops.model import Host
from ops.model.layout import API_PORT, SOCKET
from ops.tunnel.deadline import Deadline
from ops.tunnel.failures import TROUBLE
from ops.tunnel.route import Route

_numbers = itertools.count()


class CommandError(HostError):
    """A command ended on the host with anything but 0; *complaint* is the last line it wrote."""

    def __init__(self, host: str, command: str, complaint: str) -> None:
        self.complaint = complaint
        super().__init__(host, f"`{command}` failed: {complaint}")


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
        """Yield a gRPC target that leads to the host's API: a unix socket in a private folder."""
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
        """Return why nothing gets through to the API, in sshd's words; empty if it does.

        A forwarded connection that sshd refuses is only closed; a channel opened here tells.
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
        self, command: str, deadline: Deadline, *, as_root: bool = True, given: str = ""
    ) -> str:
        """Return what *command*, for the host's shell, prints; with sudo where *as_root* needs it.

        *given* is what it finds on its stdin.

        Raise CommandError if it ends with anything but 0.
        """
        full = command
        if as_root and self._route.user != "root":
            full = f"sudo -n -- sh -c {shlex.quote(command)}"
        stdin: dict[str, Any] = {"input": given} if given else {"stdin": asyncssh.DEVNULL}
        try:
            async with deadline.or_fail(self._late(f"`{command}`")):
                done = await self._connection.run(full, **stdin, errors="replace")
        except TROUBLE as error:
            raise self._broken(error) from None
        if done.exit_status != 0:
            complaint = str(done.stderr).strip().splitlines()[-1:] or [f"exit {done.exit_status}"]
            raise CommandError(self.host.name, command, complaint[0])
        return str(done.stdout)

    def _late(self, what: str) -> TunnelError:
        return TunnelError(self.host.name, f"ssh is up, but {what} did not end in time")

    def _broken(self, error: Exception) -> TunnelError:
        return TunnelError(self.host.name, f"its ssh connection broke: {error}")

    async def close(self) -> None:
        """Hang up at once, without waiting for the other side."""
        self._connection.abort()
        await self._connection.wait_closed()
