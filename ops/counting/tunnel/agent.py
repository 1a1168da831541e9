"""The user's ssh agent, and the order in which ssh keys are offered to a server.

A server accepts few tries (MaxAuthTries, 6 in sshd), so the likely keys come first. asyncssh
alone would offer all keys of the agent before any key of a file.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncssh

from ops.counting.tunnel.credentials import Credentials
from ops.files import expand_home

SOCKET = "SSH_AUTH_SOCK"
TRIES = 6
"""Keys that sshd tries before it closes the connection, by default (MaxAuthTries)."""
Offer = asyncssh.SSHKey | asyncssh.SSHKeyPair


@asynccontextmanager
async def agent_keys(path: str) -> AsyncIterator[Sequence[asyncssh.SSHKeyPair]]:
    """Yield the keys of the agent at *path* for one login; none if no agent answers.

    Each login opens its own connection to the agent. On a shared one, a login that is cancelled
    while it waits would leave the agent's answer to the next login.
    """
    if not path:
        yield ()
        return
    client = asyncssh.SSHAgentClient(path)
    try:
        yield await _keys(client)
    finally:
        client.close()
        await client.wait_closed()


async def _keys(client: asyncssh.SSHAgentClient) -> Sequence[asyncssh.SSHKeyPair]:
    try:
        return await client.get_keys()
    except (OSError, ValueError):
        return ()


def agent_path(configured: object) -> str:
    """Return the path of the agent's socket, empty for no agent.

    *configured* is ``IdentityAgent`` of the ssh config; None means SSH_AUTH_SOCK, as in OpenSSH.

    >>> agent_path("/run/agent.sock"), agent_path("")
    ('/run/agent.sock', '')
    """
    if configured is None or configured == SOCKET:
        return os.environ.get(SOCKET, "")
    written = str(configured)
    if written.startswith("$"):
        return os.environ.get(written[1:].strip("{}"), "")
    return str(expand_home(written)) if written else ""


def offered_keys(own: Credentials, of_agent: Sequence[asyncssh.SSHKeyPair]) -> list[Offer]:
    """Return the ssh keys to offer, each once, the likely ones first.

    First come the keys of named files, in their order, from the agent if it has them. Then come
    the agent's other keys, and last the keys of the default files, as in OpenSSH.
    """
    usable: dict[bytes, Offer] = {
        pair.public_data: pair
        for pair in of_agent
        if own.of_agent is None or pair.public_data in own.of_agent
    }
    files: dict[bytes, Offer] = {key.public_data: key for key in own.keys}
    likely = files | usable if own.named else usable
    first = {half: likely[half] for half in own.public_halves if half in likely}
    return list((first | usable | files | first).values())
