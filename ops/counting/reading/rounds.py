"""Read hosts once, or again and again over lines that stay open."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from ops.counting.reading.fan_out import on_each
from ops.counting.reading.host_reader import HostReader, open_reader
from ops.counting.reading.outcome import Progress, Round
from ops.counting.tunnel import Deadline, Dialer, open_dialer
from ops.errors import HostError
from ops.model import Fleet, Host, Reading


async def read_round(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float, progress: Progress | None = None
) -> Round:
    """Read each of *hosts* once; close each line as soon as its host has answered."""
    async with open_dialer(fleet) as dialer:

        async def read(host: Host, until: Deadline) -> Reading:
            async with open_reader(dialer, host, until) as reader:
                return await reader.read(until)

        outcomes = await on_each(hosts, read, deadline=deadline, ended=progress)
    return Round(readings=tuple(outcomes.results.values()), failures=outcomes.failures)


class Watch:
    """Reads the same hosts round after round; lines stay open in between."""

    def __init__(self, dialer: Dialer, hosts: Sequence[Host]) -> None:
        self._dialer = dialer
        self._hosts = hosts
        self._open: dict[str, tuple[HostReader, AsyncExitStack]] = {}

    async def round(self, *, deadline: float, progress: Progress | None = None) -> Round:
        """Return a round; a line that broke since the last round is opened again."""
        outcomes = await on_each(self._hosts, self._read, deadline=deadline, ended=progress)
        return Round(readings=tuple(outcomes.results.values()), failures=outcomes.failures)

    async def close(self) -> None:
        """Close every line."""
        await asyncio.gather(*map(self._close_line, list(self._open)))

    async def _read(self, host: Host, until: Deadline) -> Reading:
        if host.name in self._open:
            try:
                return await self._read_open(host, until)
            except HostError:
                # The host rebooted, or its core restarted: a new line works then.
                if not until.left:
                    raise
        await self._dial(host, until)
        return await self._read_open(host, until)

    async def _read_open(self, host: Host, until: Deadline) -> Reading:
        reader, _ = self._open[host.name]
        try:
            return await reader.read(until)
        except BaseException:
            await self._close_line(host.name)
            raise

    async def _dial(self, host: Host, until: Deadline) -> None:
        async with AsyncExitStack() as opening:
            reader = await opening.enter_async_context(open_reader(self._dialer, host, until))
            self._open[host.name] = reader, opening.pop_all()

    async def _close_line(self, name: str) -> None:
        _, opened = self._open.pop(name)
        await opened.aclose()


@asynccontextmanager
async def open_watch(fleet: Fleet, hosts: Sequence[Host]) -> AsyncIterator[Watch]:
    """Yield a watch over *hosts*, and close its lines at the end."""
    async with open_dialer(fleet) as dialer:
        watch = Watch(dialer, hosts)
        try:
            yield watch
        finally:
            await watch.close()


async def watch_rounds(
    fleet: Fleet, hosts: Sequence[Host], *, every: float, deadline: float
) -> AsyncGenerator[Round, None]:
    """Yield a round now and then one each *every* seconds, without end."""
    clock = asyncio.get_running_loop().time
    async with open_watch(fleet, hosts) as watch:
        while True:
            began = clock()
            yield await watch.round(deadline=deadline)
            await asyncio.sleep(max(0.0, began + every - clock()))
