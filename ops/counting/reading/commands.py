"""What else is asked of hosts over a line: their core, a command's output, their host keys."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ops.counting.reading.fan_out import Outcomes, on_each
from ops.counting.reading.host_reader import open_reader
from ops.counting.tunnel import CommandError, Deadline, Dialer, HostKey, shown_host_keys
from ops.errors import HostError, TunnelError
from ops.model import Fleet, Host, Reading
from ops.model.layout import CORE

_VERSION = re.compile(r"\s*Xray v?(\d{1,4}(?:\.\d{1,4}){1,3})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One host that ssh reaches: its core's version, and its reading or why there is none."""

    core: str
    """``26.10.10``; empty if there is no core where ours lies."""
    reading: Reading | HostError


async def inspect_each(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float
) -> Outcomes[Inspection]:
    """Return what each of *hosts* runs; a failure is a host that ssh does not reach."""
    async with Dialer(fleet) as dialer:

        async def inspect(host: Host, until: Deadline) -> Inspection:
            async with open_reader(dialer, host, until) as reader:
                try:
                    version = await reader.line.run(f"{CORE} version", until, as_root=False)
                except CommandError:
                    version = ""
                try:
                    reading: Reading | HostError = await reader.read(until)
                except HostError as error:
                    reading = error
            return Inspection(core=version_of(version), reading=reading)

        return await on_each(hosts, inspect, deadline=deadline)


def version_of(printed: str) -> str:
    """Return the version in what the core prints; empty where that is something else.

    >>> version_of("Xray 26.10.10 (Xray, Penetrates Everything.) ac3e243 (go1.27.2 linux/amd64)")
    '26.10.10'
    """
    found = _VERSION.match(printed)
    return found[1] if found else ""


async def run_on_each(
    fleet: Fleet, hosts: Sequence[Host], command: str, *, deadline: float, given: str = ""
) -> Outcomes[str]:
    """Return what *command*, run as root by the host's shell, prints on each of *hosts*."""
    async with Dialer(fleet) as dialer:

        async def run(host: Host, until: Deadline) -> str:
            async with dialer.dial(host, until) as line:
                return await line.run(command, until, given=given)

        return await on_each(hosts, run, deadline=deadline)


async def keys_of(fleet: Fleet, host: Host, *, deadline: float) -> tuple[HostKey, ...]:
    """Return the host keys that *host* shows; TunnelError if it shows none in time."""
    async with Dialer(fleet) as dialer:
        return await shown_host_keys(dialer, host, Deadline.after(deadline))


async def jump_hosts_of(fleet: Fleet) -> dict[str, Host]:
    """Return by name the jump hosts that hosts of *fleet* have, those of ~/.ssh/config included."""
    found: dict[str, Host] = {}
    async with Dialer(fleet) as dialer:
        for host in fleet.hosts:
            with suppress(TunnelError):  # told when this host is dialled
                jump = dialer.route(host, login=False).jump
                if jump:
                    way = replace(jump, user="", key="")
                    found[jump.hostname] = Host(name=jump.hostname, ssh=way)
    return found
