"""Other work on many hosts: core versions, output of commands, host keys, jump hosts."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ops.counting.reading.fan_out import Outcomes, on_each
from ops.counting.reading.host_reader import open_reader
from ops.counting.tunnel import CommandError, Deadline, HostKey, open_dialer, shown_host_keys
from ops.errors import HostError, TunnelError
from ops.model import Fleet, Host, Reading
from ops.model.layout import CORE

_VERSION = re.compile(r"\s*Xray v?(\d{1,4}(?:\.\d{1,4}){1,3})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One host that ssh reaches: its core's version, and its reading or the failure."""

    core: str
    """Such as ``26.10.10``; empty if no core is installed at the place that rollouts use."""
    reading: Reading | HostError


async def inspect_each(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float
) -> Outcomes[Inspection]:
    """Return the core's version and a reading of each of *hosts*.

    Only hosts that ssh does not reach are failures.
    """
    async with open_dialer(fleet) as dialer:

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
    """Return the version in the output of ``xray version``; empty if there is none.

    >>> version_of("Xray 26.10.10 (Xray, Penetrates Everything.) ac3e243 (go1.27.2 linux/amd64)")
    '26.10.10'
    """
    match = _VERSION.match(printed)
    return match[1] if match else ""


async def run_on_each(
    fleet: Fleet, hosts: Sequence[Host], command: str, *, deadline: float, stdin: str = ""
) -> Outcomes[str]:
    """Run *command* as root in the shell of each of *hosts*, and return its output."""
    async with open_dialer(fleet) as dialer:

        async def run(host: Host, until: Deadline) -> str:
            async with dialer.dial(host, until) as line:
                return await line.run(command, until, stdin=stdin)

        return await on_each(hosts, run, deadline=deadline)


async def host_keys_of(fleet: Fleet, host: Host, *, deadline: float) -> tuple[HostKey, ...]:
    """Return the host keys that *host* shows; TunnelError if it shows none in time."""
    async with open_dialer(fleet) as dialer:
        return await shown_host_keys(dialer, host, Deadline.after(deadline))


async def jump_hosts_of(fleet: Fleet) -> dict[str, Host]:
    """Return by name the jump hosts of the hosts of *fleet*, with those of ~/.ssh/config."""
    jumps: dict[str, Host] = {}
    async with open_dialer(fleet) as dialer:
        for host in fleet.hosts:
            with suppress(TunnelError):  # connecting to this host raises it again
                jump = dialer.route(host, login=False).jump
                if jump:
                    settings = replace(jump, user="", key="")
                    jumps[jump.hostname] = Host(name=jump.hostname, ssh=settings)
    return jumps
