"""Read one host through an ssh line and the API.

gRPC is imported after the first login, not above: meanwhile the other hosts compute their half of
the handshakes.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ops.counting.tunnel import CommandError, Deadline, Dialer, Line
from ops.model import Host, Reading

if TYPE_CHECKING:
    from ops.counting.xray_api import Api


API_SHARE = 0.6
"""Share of the remaining time for reading the API, so that a core that hangs leaves time for other
commands on its host."""


class HostReader:
    """Reads one host over one line, again and again.

    If sshd refuses to forward the API, it uses the host's own ``xray api`` from then on.
    """

    def __init__(self, line: Line, api: "Api") -> None:
        self.line = line
        self._api = api
        self._forwarded = True
        self._latest: Reading | None = None

    async def read(self, deadline: Deadline) -> Reading:
        """Return a reading; HostError if that fails or is not done by *deadline*."""
        from ops.counting.xray_api import UnavailableError

        if not self._forwarded:
            return await _read_on_host(self.line, deadline)
        try:
            self._latest = await self._api.read(timeout=deadline.left, previous=self._latest)
        except UnavailableError:
            if not await self.line.refusal(deadline):
                raise
            self._forwarded = False
            return await _read_on_host(self.line, deadline)
        return self._latest


@asynccontextmanager
async def open_reader(dialer: Dialer, host: Host, deadline: Deadline) -> AsyncIterator[HostReader]:
    """Yield a reader of *host*; TunnelError if its line is not open by *deadline*."""
    async with AsyncExitStack() as opened:
        line = await opened.enter_async_context(dialer.dial(host, deadline))
        from ops.counting.xray_api import open_api

        target = await opened.enter_async_context(line.api_target())
        yield HostReader(line, await opened.enter_async_context(open_api(target, host)))


async def _read_on_host(line: Line, deadline: Deadline) -> Reading:
    """Read by the host's own ``xray api``, which needs no forwarding."""
    from ops.counting.xray_api import printed_command, printing_failed, read_printed

    try:
        printed = await line.run(printed_command(line.host), deadline)
    except CommandError as error:
        raise printing_failed(line.host, error.reason) from None
    return read_printed(printed, line.host)
