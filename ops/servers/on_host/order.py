"""What a host is told to do; the contents of its files travel beside it."""

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
    """One set, and how it takes effect."""

    host: str
    who: str
    how: str
    """``restart``; ``hot``: users into the running core; ``files``: the core is not touched;
    ``record``: what was applied is written down anew, and no more; ``absent``: everything but
    the readings goes."""
    planned_on: str
    """The digest of the disk that this was planned on."""
    files: dict[str, list[Any]] = field(default_factory=dict)
    """By path: mode, group. Their contents are in the parcel, under ``files/``."""
    links: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    core: dict[str, str] = field(default_factory=dict)
    """``sha256``, and where it comes from if it is not there: ``upload`` or ``url``."""
    certificates: dict[str, list[str]] = field(default_factory=dict)
    api_users: list[str] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """Return every path that changes."""
        return [*self.files, *self.links, *self.removed]
