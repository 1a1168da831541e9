"""The keys a host shows to a stranger, for first contact. Nothing is proved by them."""

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
"""A server shows one key a handshake, so each kind it may have is asked for."""
_NO_SUCH_KEY = (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionResetError)
"""What comes of asking for a kind of key that the server lacks; sshd may be quicker to hang up
than to say so."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """One public host key, as it was shown."""

    line: str
    """As it stands in known_hosts."""
    fingerprint: str
    """``SHA256:...``, as ``ssh-keygen -l`` prints it on the server."""


async def shown_host_keys(dialer: Dialer, host: Host, deadline: Deadline) -> tuple[HostKey, ...]:
    """Return every key that *host* shows; nobody logs in. TunnelError if there is none."""
    route = dialer.route(host, login=False)
    shown = await asyncio.gather(*(_shown(dialer, route, kind, deadline) for kind in ALGORITHMS))
    keys = tuple(
        HostKey(line=_line(route, key), fingerprint=key.get_fingerprint()) for key in shown if key
    )
    if not keys:
        raise TunnelError(host.name, f"ssh at {route.place} shows no key of a kind known here")
    return keys


async def _shown(
    dialer: Dialer, route: Route, kind: str, deadline: Deadline
) -> asyncssh.SSHKey | None:
    key: asyncssh.SSHKey | None = None
    async with dialer.way_to(route, deadline) as way:
        with suppress(*_NO_SUCH_KEY):
            key = await asyncssh.get_server_host_key(
                **way, config=None, options=route.options(), server_host_key_algs=[kind]
            )
    return key


def _line(route: Route, key: asyncssh.SSHKey) -> str:
    kind, data, *_ = key.export_public_key("openssh").decode().split()
    return f"{pattern(route.hostname, route.port)} {kind} {data}"
