"""Turn exceptions of asyncssh and the network into sentences."""

import os
import re

import asyncssh

from ops.counting.tunnel.agent import TRIES
from ops.counting.tunnel.route import Route
from ops.errors import TunnelError

_NUMBERS = re.compile(r"\[Errno (\d+)\]")
CHANGED = (
    "its host key is not the one in inventory/known_hosts: it was reinstalled, or somebody"
    " intercepts the connection; if you know why, `ops hosts trust {host} --replace`"
)
UNKNOWN = (
    "its host key is not in inventory/known_hosts; make first contact with `ops hosts trust {host}`"
)
REVOKED = "its host key is marked @revoked in inventory/known_hosts"
TROUBLE = (asyncssh.Error, OSError, ValueError)
"""All exceptions of a connection. asyncssh raises ValueError for bytes that it cannot parse."""


class ConnectionDroppedError(TunnelError):
    """The server closed the connection before the login; it may be busy, so try again."""


def tunnel_error(route: Route, error: Exception, *, of_agent: int = 0) -> TunnelError:
    """Return the TunnelError for *error*, which was raised while connecting by *route*.

    *of_agent* is the number of keys that the ssh agent has.
    """
    if "Too many authentication failures" in str(error):
        return TunnelError(route.host, _too_many(route, of_agent))
    for kind, describe in _DESCRIPTIONS.items():
        if isinstance(error, kind):
            error_class = ConnectionDroppedError if kind is asyncssh.ConnectionLost else TunnelError
            return error_class(route.host, describe(route, error))
    return TunnelError(
        route.host, f"ssh to {route.place} failed: {str(error) or type(error).__name__}"
    )


def unknown_host_key(route: Route) -> TunnelError:
    """Return the error for a host that known_hosts does not name."""
    return TunnelError(route.host, UNKNOWN.format(host=route.host))


def _host_key(route: Route, error: Exception) -> str:
    return REVOKED if "revoked" in str(error) else CHANGED.format(host=route.host)


def _key_exchange(route: Route, error: Exception) -> str:
    return f"ssh at {route.place} shares no algorithm with us: {error}"


def _refused_login(route: Route, error: Exception) -> str:
    locked = route.credentials.locked
    add = f"; {locked[0]} needs its passphrase: `ssh-add {locked[0]}`" if locked else ""
    return f"ssh at {route.place} refuses {route.user} with every ssh key of this machine{add}"


def _too_many(route: Route, of_agent: int) -> str:
    offered = (
        f"the ssh agent offers {of_agent} keys" if of_agent else "too many ssh keys were offered"
    )
    return (
        f"{offered}, and sshd at {route.place} tries {TRIES} or fewer (MaxAuthTries): set ssh_key"
        " in hosts.toml, or IdentityFile in ~/.ssh/config, to the ssh key that it accepts"
    )


def _lost(route: Route, error: Exception) -> str:
    return (
        f"ssh at {route.place} closed the connection before the login: a firewall, fail2ban, or too"
        " many connections at once (MaxStartups)"
    )


def _no_ssh(route: Route, error: Exception) -> str:
    return f"the server at {route.place} does not speak ssh properly: {error}"


def _network(route: Route, error: Exception) -> str:
    return f"{route.place} cannot be reached: {_reason(error)}"


def _reason(error: Exception) -> str:
    """Return the system's words for *error*, because asyncio adds its own and the address.

    An error of several addresses has no number of its own, only those in its text.
    """
    text = str(error)
    own = getattr(error, "errno", None)
    numbers = [own] if own else [int(number) for number in _NUMBERS.findall(text)]
    if "Connect call failed" in text and numbers:
        return " and ".join(dict.fromkeys(os.strerror(number) for number in numbers))
    return getattr(error, "strerror", None) or text


def _channel(route: Route, error: Exception) -> str:
    return f"its jump host cannot reach {route.place}: {error}"


_DESCRIPTIONS = {
    asyncssh.HostKeyNotVerifiable: _host_key,
    asyncssh.KeyExchangeFailed: _key_exchange,
    asyncssh.PermissionDenied: _refused_login,
    asyncssh.ConnectionLost: _lost,
    asyncssh.ProtocolError: _no_ssh,
    asyncssh.ProtocolNotSupported: _no_ssh,
    asyncssh.ChannelOpenError: _channel,
    OSError: _network,
}
"""The first class that matches describes the error."""
