"""Find the line of the inventory that a place in a rendered config came from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ops.config.lint import Path
from ops.fleet import inventory
from ops.fleet.inventory import Document
from ops.fleet.inventory.toml import Location
from ops.model import Fleet, Host
from ops.model.key import key_of

_FIELDS = {
    "port": "port",
    "flow": "flow",
    "dest": "target",
    "target": "target",
    "serverNames": "server_names",
    "path": "path",
    "certificateFile": "certificate",
    "certificates": "certificate",
    "keyFile": "certificate_key",
    "method": "method",
    "fingerprint": "fingerprint",
    "network": "transport",
    "security": "security",
}
"""Fields of Xray's config, and the field of an inbound in hosts.toml that each comes from."""
_USERS = {"clients", "users"}


class SourceLine(NamedTuple):
    """A line of a file: the file's name, and the number from 1, or 0 for the whole file."""

    file: str
    number: int


@dataclass(frozen=True)
class SourceLines:
    """The lines of a fleet's inventory, by places in rendered configs."""

    fleet: Fleet

    @cached_property
    def _documents(self) -> tuple[Document, Document]:
        return inventory.documents(self.fleet.folder)

    def host(self, name: str, *more: str) -> SourceLine:
        """Return the line of the host called *name*, or of a field of it."""
        return self._line(self._documents[0], ("hosts", name, *more))

    def line(self, host: Host, path: Path, config: dict[str, Any]) -> SourceLine:
        """Return the line that *path* in *config* of *host* came from; if unknown, the host's."""
        match path:
            case ("inbounds", int(at), "settings", str(name), int(user), *_) if name in _USERS:
                return self._key(config["inbounds"][at]["settings"][name][user]) or self.host(
                    host.name
                )
            case ("inbounds", int(at), *rest):
                return self._inbound(host, config["inbounds"][at].get("tag", ""), rest)
            case ("outbounds", int(at), *_):
                return self._outbound(host, config["outbounds"][at].get("tag", ""))
            case _:
                return self.host(host.name)

    def _inbound(self, host: Host, tag: str, rest: list[str | int]) -> SourceLine:
        if tag not in {inbound.name for inbound in host.inbounds}:
            return self.host(host.name)
        hosts = self._documents[0]
        fields = [_FIELDS[part] for part in rest if isinstance(part, str) and part in _FIELDS]
        own: Location = ("hosts", host.name, "overrides", tag, *fields[-1:])
        overridden = _holds(hosts.data, own) and fields
        return self._line(hosts, own if overridden else ("inbounds", tag, *fields[-1:]))

    def _outbound(self, host: Host, tag: str) -> SourceLine:
        known = {outbound.name for outbound in self.fleet.outbounds}
        if tag in known:
            return self._line(self._documents[0], ("outbounds", tag))
        return self.host(host.name)

    def _key(self, user: dict[str, Any]) -> SourceLine | None:
        keys = self._documents[1]
        name = key_of(str(user.get("email", "")))
        return self._line(keys, ("keys", name)) if name in keys.data.get("keys", {}) else None

    @staticmethod
    def _line(document: Document, place: Location) -> SourceLine:
        return SourceLine(document.file, document.line(place))


def _holds(data: Any, place: Location) -> bool:
    for part in place:
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True
