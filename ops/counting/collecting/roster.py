"""Who is to be visited: the fleet as its files say it now, for programs that go on for months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ops.errors import FleetError, UsageError
from ops.fleet import inventory, selection
from ops.model import Fleet, Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Muster:
    """The fleet at one moment, and those of its hosts that are to be visited."""

    fleet: Fleet
    hosts: tuple[Host, ...]
    leaving: tuple[Host, ...]
    """To be without a core: visited until nothing is left to fetch from their disks."""
    away: tuple[Host, ...]
    """In maintenance: no failure."""
    trouble: str = ""
    """Why the files are not followed: this is how they were before."""


class Roster:
    """Reads the fleet anew when its files have changed."""

    def __init__(self, folder: Path, hosts: Sequence[str] = (), groups: Sequence[str] = ()) -> None:
        self.folder = folder
        self._globs = hosts, groups
        self._signature: object = None
        self._fleet: Fleet | None = None
        self._chosen: tuple[Host, ...] = ()
        self._trouble = ""

    def now(self) -> Muster:
        """Return who is to be visited today.

        FleetError or UsageError only at the first time: afterwards what was read before holds.
        """
        signature = [_stamp(self.folder / "inventory" / name) for name in inventory.FILES]
        if signature != self._signature:
            self._read()
            self._signature = signature
        assert self._fleet  # noqa: S101
        away = selection.away(self._chosen, datetime.now(UTC).date())
        present = [host for host in self._chosen if host not in away]
        return Muster(
            fleet=self._fleet,
            hosts=tuple(host for host in present if host.state != "absent"),
            leaving=tuple(host for host in present if host.state == "absent"),
            away=away,
            trouble=self._trouble,
        )

    def _read(self) -> None:
        try:
            fleet = inventory.load(self.folder)
            chosen = selection.hosts(fleet, *self._globs, even_absent=True)
        except (FleetError, UsageError) as error:
            if self._fleet is None:
                raise
            self._trouble = f"the fleet's files are wrong, and go unfollowed: {error}"
        else:
            self._fleet, self._chosen, self._trouble = fleet, chosen, ""


def _stamp(file: Path) -> object:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
