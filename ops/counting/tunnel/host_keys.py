"""Fetch the host keys that a host shows, for first contact. They prove nothing by themselves."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import asyncssh

from ops.counting.tunnel.deadline import Deadline
from ops.counting.tunnel.dialer import Dialer
from ops.counting.tunnel.known_hosts import pattern
from ops.counting.tunnel.route import Route
from ops.errors import TunnelError
from ops.model import Host

ALGORITHMS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")
"""A server shows one key in each handshake, so there is one handshake for each kind."""
_NO_SUCH_KEY = (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionResetError)
"""Errors of a handshake about a kind of key that the server lacks. sshd sometimes closes the
connection before it sends the reason."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """One public host key of a server."""

    line: str
    """Its line for known_hosts."""
    fingerprint: str
    """``SHA256:...``, as ``ssh-keygen -l`` prints it on the server."""


async def shown_host_keys(dialer: Dialer, host: Host, deadline: Deadline) -> tuple[HostKey, ...]:
    """Return every host key that *host* shows, without a login; TunnelError if it shows none."""
    route = dialer.route(host, login=False)
    shown = await asyncio.gather(*(_shown(dialer, route, kind, deadline) for kind in ALGORITHMS))
    keys = tuple(
        HostKey(line=_line(route, key), fingerprint=key.get_fingerprint()) for key in shown if key
    )
    if not keys:
        raise TunnelError(host.name, f"ssh at {route.place} shows no host key of a known kind")
    return keys


async def _shown(
    dialer: Dialer, route: Route, kind: str, deadline: Deadline
) -> asyncssh.SSHKey | None:
    key: asyncssh.SSHKey | None = None
    async with dialer.handshake(route, deadline) as arguments:
        with suppress(*_NO_SUCH_KEY):
            key = await asyncssh.get_server_host_key(
                **arguments, config=None, options=route.options(), server_host_key_algs=[kind]
            )
    return key


def _line(route: Route, key: asyncssh.SSHKey) -> str:
    kind, data, *_ = key.export_public_key("openssh").decode().split()
    return f"{pattern(route.hostname, route.port)} {kind} {data}"
