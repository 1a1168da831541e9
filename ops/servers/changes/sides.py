"""One of the two states of a fleet that are compared, rendered without secrets."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ops.config.render import placeholders, render
from ops.config.render.bounds import TooLong, bounded
from ops.errors import FleetError, Problem
from ops.files import content
from ops.model import Fleet, Host
from ops.servers.changes.revision import told_of
from ops.servers.on_host import users
from ops.servers.planning.wanted import Wanted, of_release

SECONDS = 20.0
"""The longest that rendering one host may take."""


class Side:
    """A fleet, and what its hosts are to have; placeholders stand in for secrets on both sides."""

    def __init__(self, fleet: Fleet, revision: str = "") -> None:
        self.fleet = fleet
        self.hosts = {host.name: host for host in fleet.hosts}
        self._revision = revision
        self.secrets = placeholders(fleet)

    def up(self, name: str) -> Host | None:
        """Return the host called *name*, if it is to have a core."""
        host = self.hosts.get(name)
        return host if host and host.state == "up" else None

    def config(self, host: Host) -> str:
        """Return the config of *host*."""
        with self._rendering(host):
            return render(self.fleet, host, self.secrets)

    def users(self, host: Host) -> users.Users:
        """Return who may use *host*, by inbound."""
        return users.of_config(json.loads(self.config(host)))

    def set_of(self, host: Host, release: str) -> Wanted:
        """Return every file that *host* is to have, with the core called *release*."""
        with self._rendering(host):
            return of_release(self.fleet, host, self.secrets, release)

    def has_core_of(self, other: "Side") -> bool:
        """Return whether both pin the same core, on every kind of machine that both know."""
        mine, theirs = self.fleet.core, other.fleet.core
        both = mine.sha256.keys() & theirs.sha256.keys()
        return mine.version == theirs.version and all(
            mine.sha256[machine] == theirs.sha256[machine] for machine in both
        )

    def inputs(self, host: Host) -> tuple[Any, ...]:
        """Return all that the set of *host* is made of: the same inputs make the same set."""
        fleet = self.fleet
        keys = [[key.name for key in fleet.keys_on(host, inbound)] for inbound in host.inbounds]
        public = [fleet.public_keys.get((host.name, inbound.name)) for inbound in host.inbounds]
        return host, keys, public, fleet.rules_on(host), fleet.outbounds, self._templates

    @cached_property
    def _templates(self) -> str:
        """Return one digest of the fleet's own templates."""
        folder = self.fleet.folder / "templates"
        found = hashlib.sha256()
        for path in sorted(folder.rglob("*.j2")):
            found.update(f"{path.relative_to(folder)}\0".encode() + content(path) + b"\0")
        return found.hexdigest()

    @contextmanager
    def _rendering(self, host: Host) -> Iterator[None]:
        """Have what is wrong with a template told by its name on this side, and end what loops."""
        try:
            if self._revision:
                with told_of(self._revision, self.fleet.folder), bounded(SECONDS):
                    yield
            else:
                with bounded(SECONDS):
                    yield
        except (TooLong, MemoryError):
            place = f"{self._revision}:templates" if self._revision else "templates"
            message = f"rendering {host.name} took too long or too much memory: a template loops"
            raise FleetError([Problem(place, 0, message)]) from None


def same_inputs(old: Side, before: Host, new: Side, after: Host) -> bool:
    """Return whether a host need not even be rendered to know that it stays as it is."""
    return old.has_core_of(new) and old.inputs(before) == new.inputs(after)
