"""One side of a comparison of two states of a fleet, rendered without secrets."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ops.config.render import placeholders, render
from ops.config.render.bounds import TooLong, bounded
from ops.errors import FleetError, Problem
from ops.files import read_bytes
from ops.model import Fleet, Host
from ops.servers.changes.revision import named_at
from ops.servers.on_host import users
from ops.servers.planning.wanted import Wanted, of_release

SECONDS = 20.0
"""The longest time to render one host."""


class Side:
    """A fleet, and the wanted sets of its hosts. Placeholders replace secrets on both sides."""

    def __init__(self, fleet: Fleet, revision: str = "") -> None:
        self.fleet = fleet
        self.hosts = {host.name: host for host in fleet.hosts}
        self._revision = revision
        self.secrets = placeholders(fleet)

    def up(self, name: str) -> Host | None:
        """Return the host with this *name* if its state is ``up``."""
        host = self.hosts.get(name)
        return host if host and host.state == "up" else None

    def config(self, host: Host) -> str:
        """Return the config of *host* as JSON."""
        with self._rendering(host):
            return render(self.fleet, host, self.secrets)

    def users(self, host: Host) -> users.Users:
        """Return the users of *host*, by inbound."""
        return users.of_config(json.loads(self.config(host)))

    def set_of(self, host: Host, release: str) -> Wanted:
        """Return the wanted set of *host*. *release* replaces the SHA-256 of the core's zip."""
        with self._rendering(host):
            return of_release(self.fleet, host, self.secrets, release)

    def has_core_of(self, other: "Side") -> bool:
        """Return whether both sides pin the same core, for each architecture that both pin."""
        mine, theirs = self.fleet.core, other.fleet.core
        both = mine.sha256.keys() & theirs.sha256.keys()
        return mine.version == theirs.version and all(
            mine.sha256[machine] == theirs.sha256[machine] for machine in both
        )

    def inputs(self, host: Host) -> tuple[Any, ...]:
        """Return the inputs that the set of *host* is rendered from."""
        fleet = self.fleet
        keys = [[key.name for key in fleet.keys_on(host, inbound)] for inbound in host.inbounds]
        public = [fleet.public_keys.get((host.name, inbound.name)) for inbound in host.inbounds]
        return host, keys, public, fleet.rules_on(host), fleet.outbounds, self._templates

    @cached_property
    def _templates(self) -> str:
        """Return one digest of all templates in the fleet's folder."""
        folder = self.fleet.folder / "templates"
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*.j2")):
            digest.update(f"{path.relative_to(folder)}\0".encode() + read_bytes(path) + b"\0")
        return digest.hexdigest()

    @contextmanager
    def _rendering(self, host: Host) -> Iterator[None]:
        """Name template errors by their file on this side, and end a template that loops."""
        try:
            if self._revision:
                with named_at(self._revision, self.fleet.folder), bounded(SECONDS):
                    yield
            else:
                with bounded(SECONDS):
                    yield
        except (TooLong, MemoryError):
            place = f"{self._revision}:templates" if self._revision else "templates"
            message = f"rendering {host.name} took too long or too much memory: a template loops"
            raise FleetError([Problem(place, 0, message)]) from None


def same_inputs(old: Side, before: Host, new: Side, after: Host) -> bool:
    """Return whether both sides have the same inputs, so that the host needs no rendering."""
    return old.has_core_of(new) and old.inputs(before) == new.inputs(after)
