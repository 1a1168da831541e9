"""The user's ssh agent, and the order in which keys are offered to a server.

A server hears few keys (MaxAuthTries, 6 in sshd), so the likely ones come first. asyncssh alone
would offer all keys of the agent before any key of a file.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import asyncssh

from ops.tunnel.credentials import Credentials

SOCKET = "SSH_AUTH_SOCK"
TRIES = 6
"""Keys that sshd hears before it hangs up, unless its MaxAuthTries says otherwise."""
Offer = asyncssh.SSHKey | asyncssh.SSHKeyPair


class Agents:
    """Connections to ssh agents: made when first needed, one for all hosts."""

    def __init__(self) -> None:
        self._clients: dict[str, asyncssh.SSHAgentClient] = {}

    async def keys(self, path: str) -> Sequence[asyncssh.SSHKeyPair]:
        """Return the keys of the agent at *path*; none where no agent answers."""
        if not path:
            return ()
        client = self._clients.setdefault(path, asyncssh.SSHAgentClient(path))
        try:
            return await client.get_keys()
        except (OSError, ValueError):
            return ()

    async def close(self) -> None:
        """Hang up on all agents."""
        for client in self._clients.values():
            client.close()
            await client.wait_closed()


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
    return str(Path(written).expanduser()) if written else ""


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
