"""Choose the hosts to visit. A collector runs for months and follows the fleet's files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ops.errors import FleetError, UsageError
from ops.fleet import inventory, selection
from ops.model import Fleet, Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The fleet at one moment, and the hosts of it that a round visits."""

    fleet: Fleet
    hosts: tuple[Host, ...]
    absent: tuple[Host, ...] = ()
    """Hosts that should have no core: visited until nothing is left to fetch from their disks."""
    warnings: tuple[str, ...] = ()
    """The reason why *fleet* is not that of the files, if they are wrong now."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The fleet as it was loaded last."""

    fleet: Fleet
    chosen: tuple[Host, ...]
    warnings: tuple[str, ...] = ()


class Roster:
    """Loads the fleet again when its files have changed."""

    def __init__(self, folder: Path, hosts: Sequence[str] = (), groups: Sequence[str] = ()) -> None:
        self.folder = folder
        self._globs = hosts, groups
        self._signature: object = None
        self._loaded: _Loaded | None = None

    def targets(self) -> Targets:
        """Return the hosts to visit today; hosts in maintenance are left out.

        Raise FleetError or UsageError if the files are wrong at the first call. Later, wrong files
        are a warning, and the fleet stays as it was loaded before.
        """
        signature = [_stamp(self.folder / "inventory" / name) for name in inventory.FILES]
        if self._loaded is None or signature != self._signature:
            self._loaded = self._load(self._loaded)
            self._signature = signature
        loaded = self._loaded
        away = selection.away(loaded.chosen, datetime.now(UTC).date())
        present = [host for host in loaded.chosen if host not in away]
        return Targets(
            fleet=loaded.fleet,
            hosts=tuple(host for host in present if host.state != "absent"),
            absent=tuple(host for host in present if host.state == "absent"),
            warnings=loaded.warnings,
        )

    def _load(self, before: _Loaded | None) -> _Loaded:
        try:
            fleet = inventory.load(self.folder)
            return _Loaded(fleet, selection.hosts(fleet, *self._globs, even_absent=True))
        except (FleetError, UsageError) as error:
            if before is None:
                raise
            warning = f"the fleet's files are wrong, so the fleet before them is used: {error}"
            return replace(before, warnings=(warning,))


def _stamp(file: Path) -> object:
    """Return a value that changes when *file* does; None if there is no such file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
