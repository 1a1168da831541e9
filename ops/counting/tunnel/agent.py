"""The user's ssh agent, and the order in which keys are offered to a server.

A server hears few keys (MaxAuthTries, 6 in sshd), so the likely ones come first. asyncssh alone
would offer all keys of the agent before any key of a file.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncssh

from ops.counting.tunnel.credentials import Credentials
from ops.files import expand_home

SOCKET = "SSH_AUTH_SOCK"
TRIES = 6
"""Keys that sshd hears before it hangs up, unless its MaxAuthTries says otherwise."""
Offer = asyncssh.SSHKey | asyncssh.SSHKeyPair


@asynccontextmanager
async def agent_keys(path: str) -> AsyncIterator[Sequence[asyncssh.SSHKeyPair]]:
    """Yield the keys of the agent at *path* for one login; none where no agent answers.

    Each login has a connection of its own: one that is cancelled while it waits for the agent
    would leave its answer to the next one.
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
    """Return where the agent listens: as ``IdentityAgent`` of an ssh config says, or as usual.

    >>> agent_path("/run/agent.sock"), agent_path("")
    ('/run/agent.sock', '')
    """
    if configured is None or configured == SOCKET:
        return os.environ.get(SOCKET, "")
    written = str(configured)
    if written.startswith("$"):
        return os.environ.get(written[1:].strip("{}"), "")
    return str(expand_home(written)) if written else ""


def offers(own: Credentials, of_agent: Sequence[asyncssh.SSHKeyPair]) -> list[Offer]:
    """Return the keys to offer, each once, the likely ones first.

    Keys of files that somebody named come first, in their order, from the agent where it has
    them. Then come the agent's others, and last the keys of the usual files, as in OpenSSH.
    """
    usable: dict[bytes, Offer] = {
        pair.public_data: pair
        for pair in of_agent
        if own.of_agent is None or pair.public_data in own.of_agent
    }
    files: dict[bytes, Offer] = {key.public_data: key for key in own.keys}
    likely = files | usable if own.named else usable
    first = {half: likely[half] for half in own.halves if half in likely}
    return list((first | usable | files | first).values())
