"""Plan the ssh connection to one host.

The settings of the inventory come first, then ``~/.ssh/config``, then ssh's defaults.
"""

import getpass
import hashlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import asyncssh
from asyncssh.config import SSHClientConfig

from ops.counting.tunnel.agent import agent_path
from ops.counting.tunnel.credentials import NO_LOGIN, Credentials, credentials
from ops.counting.tunnel.ssh_config import SshConfig, SshConfigError, first_word
from ops.errors import OpsError, TunnelError
from ops.files import expand_home, sentence
from ops.model import Host, Ssh


@dataclass(frozen=True, slots=True)
class Route:
    """All settings of a connection, resolved once."""

    host: str
    """The host's name in the fleet, for messages."""
    named: str
    """The name for which the ssh config is searched."""
    hostname: str
    port: int
    user: str
    family: int
    jump: Ssh | None
    proxied: bool
    """Whether a ProxyCommand of the ssh config makes the connection."""
    settings: Mapping[str, Any]
    """Arguments for asyncssh besides host, port and keys; each login makes options of them."""
    credentials: Credentials
    agent: str
    """Path of the ssh agent's socket; empty if no agent is used."""

    def options(self) -> asyncssh.SSHClientConnectionOptions:
        """Return the options of a login; ValueError or OSError if they are invalid."""
        return asyncssh.SSHClientConnectionOptions(host=self.named, port=self.port, **self.settings)

    @property
    def place(self) -> str:
        """Return the address for messages."""
        return f"{self.hostname} port {self.port}"


class RoutePlanner:
    """Plans routes. The ssh config is read once; each host's part of it is written to *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._understood = {""}
        file = expand_home("~/.ssh/config")
        self._config = SshConfig(file) if os.access(file, os.R_OK) else None
        try:
            self._user = getpass.getuser()
        except (KeyError, OSError):
            raise OpsError("your user name is unknown: set LOGNAME, ssh's default user") from None

    def route(self, host: Host, *, login: bool = True) -> Route:
        """Return the route to *host*; TunnelError if its settings cannot be used.

        Without *login* no ssh key is searched for, because a handshake needs none.
        """
        try:
            return self._route(host, login)
        except OSError as error:
            raise TunnelError(host.name, f"ssh cannot be used: {sentence(error)}") from None
        except (SshConfigError, ValueError) as error:
            raise TunnelError(host.name, f"its ssh settings cannot be used: {error}") from None

    def _route(self, host: Host, login: bool) -> Route:
        name = host.ssh.hostname or host.name
        lines = self._config.lines_for(name) if self._config else ""
        config = self._resolved(name, host.ssh, lines)
        keys = _credentials(host.ssh, config) if login else NO_LOGIN
        jump = _jump(host.ssh, str(config.get("ProxyJump") or ""))
        route = Route(
            host=host.name,
            named=name,
            hostname=cast(str, config.get("Hostname", name)),
            port=host.ssh.port or cast(int, config.get("Port", 22)),
            user=host.ssh.user or cast(str, config.get("User", self._user)),
            family=cast(int, config.get("AddressFamily", socket.AF_UNSPEC)),
            jump=jump,
            proxied=config.get("ProxyCommand") is not None and jump is None,
            settings={
                "config": self._files(_without(lines, SETTLED_HERE)),
                **({"username": host.ssh.user} if host.ssh.user else {}),
                "client_keys": None,  # ops.counting.tunnel.agent offers them in its own order
                "agent_path": None,
                "client_certs": _certificates(config),
                **({} if config.get("Ciphers") else {"encryption_algs": CIPHERS}),
                "x509_trusted_certs": None,
                "connect_timeout": None,
            },
            credentials=keys,
            agent="" if keys.of_agent == () else agent_path(config.get("IdentityAgent")),
        )
        if lines not in self._understood:  # so that bad options are an error now, not at each login
            route.options()
            self._understood.add(lines)
        return route

    def _resolved(self, name: str, ssh: Ssh, lines: str) -> SSHClientConfig:
        """Return the value of every option for *name*; the settings in *ssh* have priority."""
        options = (self._user, ssh.user or (), name, ssh.port or ())
        config = SSHClientConfig.load(None, self._files(lines), False, False, False, *options)
        return cast(SSHClientConfig, config)

    def _files(self, lines: str) -> list[Path] | None:
        """Return *lines* as a file, because asyncssh accepts only files; None for no lines."""
        if not lines:
            return None
        file = self._folder / hashlib.sha256(lines.encode()).hexdigest()[:16]
        file.write_text(lines, "utf-8")
        return [file]


CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
"""Preferred ciphers; all others come after them. asyncssh needs three calls a packet for ChaCha20
and one for GCM, which saves a tenth of the cost of reading a host."""
SETTLED_HERE = frozenset({"identityfile", "certificatefile", "proxyjump"})
"""Options that asyncssh does not get. It would parse the files again for each connection, and fail
if one is missing. It would also connect to the jump host once for each host behind it."""


def _without(lines: str, keywords: frozenset[str]) -> str:
    others = (line for line in lines.splitlines() if first_word(line) not in keywords)
    return "\n".join(others)


def _credentials(ssh: Ssh, config: SSHClientConfig) -> Credentials:
    if not ssh.key:
        named = cast(list[str], config.get("IdentityFile", []))
        return credentials(named, only=bool(config.get("IdentitiesOnly")))
    if not expand_home(ssh.key).is_file():
        raise ValueError(f"there is no ssh key at {ssh.key}")
    return credentials([ssh.key], only=True)


def _certificates(config: SSHClientConfig) -> list[str]:
    """Return the existing certificate files of the user's ssh keys."""
    files = cast(list[str], config.get("CertificateFile", []))
    return [file for file in files if expand_home(file).is_file()]


def _jump(ssh: Ssh, configured: str) -> Ssh | None:
    """Return the settings for the jump host, None without one. It gets the same ssh key."""
    jump = ssh.jump or configured
    settings = replace(ssh, jump=jump).jump_host
    if jump and not settings:
        raise ValueError(f"the jump host {jump!r} is not [user@]host[:port]")
    return settings
