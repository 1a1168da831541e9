"""The set that the fleet wants on a host: every file and link, with its content."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.config.core.cache import pinned
from ops.config.render import render
from ops.model import Fleet, Host, Secrets, layout
from ops.servers.on_host import places, settings, users
from ops.servers.planning.bundle import program

UNITS = {
    places.UNIT: "xray.service.j2",
    f"{places.UNITS}/{places.MINUTE}.service": "xray-minute.service.j2",
    f"{places.UNITS}/{places.MINUTE}.timer": "xray-minute.timer.j2",
    f"{places.UNITS}/{places.RECOVER}.service": "xray-recover.service.j2",
}
TUNING = "xray.sysctl.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file of the set. Its content may be secret."""

    content: bytes = field(repr=False)
    mode: int = 0o644
    group: str = places.ROOT_GROUP

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, as `HostState.disk` has it."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The wanted set of one host."""

    release: str
    """The SHA-256 of the core's zip."""
    files: Mapping[str, Item]
    links: Mapping[str, str]
    config: Mapping[str, Any] = field(repr=False)
    fleet: str = ""
    """The id of the fleet. Hosts store it beside their readings."""

    @property
    def certificates(self) -> dict[str, list[str]]:
        """Return by inbound the paths of its certificate and private key on the host."""
        paths: dict[str, list[str]] = json.loads(self.files[places.SOURCES].content)
        return paths

    @property
    def digests(self) -> dict[str, str]:
        """Return `HostState.disk` of a host that has this set."""
        links = {path: f"-> {target}" for path, target in self.links.items()}
        return {path: item.digest for path, item in self.files.items()} | links

    @property
    def frame(self) -> str:
        """Return the fingerprint of the config without its users."""
        return users.frame(dict(self.config))

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of the config, by field, without its users."""
        return settings.of(dict(self.config))

    @property
    def fingerprints(self) -> users.Users:
        """Return the users of the config, with fingerprints instead of secrets."""
        return users.fingerprints(users.of_config(dict(self.config)))


def wanted(
    fleet: Fleet, host: Host, secrets: Secrets, machine: str, addresses: Iterable[str]
) -> Wanted:
    """Return the set for *host*, which is a *machine* such as ``x86_64`` with these *addresses*.

    *addresses* are the public addresses of its network cards.

    Raises:
        CoreError: the inventory pins no core for *machine*.
        SecretsError: secrets of *host* are missing.
    """
    return of_release(fleet, host, secrets, pinned(fleet.core, machine), addresses)


def of_release(
    fleet: Fleet, host: Host, secrets: Secrets, release: str, addresses: Iterable[str] = ()
) -> Wanted:
    """Return the set for *host* with the core *release*, the SHA-256 of its zip."""
    config = render(fleet, host, secrets, addresses)
    files = {
        layout.CONFIG: Item(content=config.encode(), mode=0o640, group=layout.USER),
        places.SOURCES: Item(content=_sources(host), mode=0o640, group=layout.USER),
        places.PROGRAM: Item(content=program()),
        **_templates(fleet, host),
    }
    links = {places.CURRENT: release, **places.LINKS}
    return Wanted(
        fleet=fleet.id, release=release, files=files, links=links, config=json.loads(config)
    )


def _sources(host: Host) -> bytes:
    paths = {i.name: [i.certificate, i.certificate_key] for i in host.inbounds if i.certificate}
    return (json.dumps(paths, indent=1, sort_keys=True) + "\n").encode()


def _templates(fleet: Fleet, host: Host) -> dict[str, Item]:
    from ops.config.render.templates import environment, fill  # Jinja takes 60 ms to import

    templates = environment(fleet.folder)
    named = UNITS | ({places.SYSCTL: TUNING} if host.kernel_tuning else {})
    values = {"host": host, "layout": layout, "places": places}
    filled = {path: fill(templates, name, values) for path, name in named.items()}
    return {path: Item(content=text.encode()) for path, text in filled.items()}
