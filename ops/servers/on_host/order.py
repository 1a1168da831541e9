"""The order for a host. The contents of its files are beside it in the parcel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

RESTART = "restart"
HOT = "hot"
FILES = "files"
RECORD = "record"
ABSENT = "absent"


@dataclass(frozen=True)
class Order:
    """The files of a new set, and the way in which it takes effect."""

    host: str
    who: str
    """The operator, as ``user@machine``."""
    how: str
    """The way in which the set takes effect.

    * ``restart``: restart the core.
    * ``hot``: change the users of the running core.
    * ``files``: change files, and do not touch the core.
    * ``record``: only write a new record of the applied commit.
    * ``absent``: remove everything but the readings.
    """
    planned_on: str
    """The digest of `HostState.disk` at the time of the plan."""
    files: dict[str, list[Any]] = field(default_factory=dict)
    """By path: mode and group. The contents are in the parcel, under ``files/``."""
    links: dict[str, str] = field(default_factory=dict)
    """By path: the target of the symlink."""
    removed: list[str] = field(default_factory=list)
    """Paths to delete."""
    core: dict[str, str] = field(default_factory=dict)
    """``sha256`` and ``version`` of the core, and ``before``, the SHA-256 of the old one.

    ``upload`` or ``url`` is the source of a core that the host lacks.
    """
    certificates: dict[str, list[str]] = field(default_factory=dict)
    """By inbound: the paths of its certificate and private key on the host."""
    api_users: list[str] = field(default_factory=list)
    """Users of the host that may use the API's socket."""
    record: dict[str, Any] = field(default_factory=dict)
    """The record that the host stores: commit, operator, digest of the config."""

    @property
    def paths(self) -> list[str]:
        """Return every path to change."""
        return [*self.files, *self.links, *self.removed]
