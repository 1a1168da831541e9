"""A fleet, and globs that narrow a report to some of its hosts and keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ops.fleet import inventory, selection
from ops.model import Fleet, Host, Key

if TYPE_CHECKING:
    from ops.ledger import Ledger


@dataclass(frozen=True)
class Selection:
    """A fleet, and globs over the names of its hosts, groups and keys.

    Without a glob for hosts or groups, every host is selected; without one for keys, every key.
    Each property raises UsageError if a glob matches nothing.
    """

    fleet: Fleet
    host_globs: tuple[str, ...] = ()
    group_globs: tuple[str, ...] = ()
    key_globs: tuple[str, ...] = ()

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """Return the selected hosts that can be read: neither absent nor in maintenance."""
        return self._present(even_absent=False)

    @cached_property
    def hosts_even_absent(self) -> tuple[Host, ...]:
        """Return the selected hosts that are not in maintenance, absent ones included."""
        return self._present(even_absent=True)

    @cached_property
    def away(self) -> tuple[Host, ...]:
        """Return the selected hosts in maintenance: they are not read, so totals lack them."""
        return selection.away(self._chosen(even_absent=False), _today())

    @cached_property
    def away_even_absent(self) -> tuple[Host, ...]:
        """Return the selected hosts in maintenance, absent ones included."""
        return selection.away(self._chosen(even_absent=True), _today())

    @property
    def narrows_hosts(self) -> bool:
        """Return whether a glob for hosts or groups was given."""
        return bool(self.host_globs or self.group_globs)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Return the selected keys."""
        return selection.keys(self.fleet, self.key_globs)

    @property
    def key_names(self) -> list[str] | None:
        """Return the names of the selected keys; None if no glob for keys was given."""
        return [key.name for key in self.keys] if self.key_globs else None

    def open_ledger(self, *, make: bool = False) -> "Ledger":
        """Open the ledger of the fleet, a context manager; *make* it if there is none.

        Raises LedgerError if it cannot be opened, or if there is none and *make* is false.
        """
        from ops.ledger import open_ledger  # loads SQLAlchemy, which live reports do not need

        return open_ledger(self.fleet, make=make)

    def _present(self, *, even_absent: bool) -> tuple[Host, ...]:
        chosen = self._chosen(even_absent=even_absent)
        away = selection.away(chosen, _today())
        return tuple(host for host in chosen if host not in away)

    def _chosen(self, *, even_absent: bool) -> tuple[Host, ...]:
        globs = self.host_globs, self.group_globs
        return selection.hosts(self.fleet, *globs, even_absent=even_absent)


def select(
    folder: Path | str | None = None,
    *,
    hosts: Iterable[str] = (),
    groups: Iterable[str] = (),
    keys: Iterable[str] = (),
) -> Selection:
    """Read the fleet in *folder* and select from it by globs.

    Without a folder the fleet is searched for as `ops` does: here, above, or in ``$OPS_FLEET``.
    Raises FleetError if its files are wrong.
    """
    fleet = inventory.load(inventory.find(None if folder is None else Path(folder)))
    return Selection(fleet, tuple(hosts), tuple(groups), tuple(keys))


def maintenance_lines(hosts: Sequence[Host]) -> list[str]:
    """Return a line for each of *hosts* in maintenance, with the last day and the reason."""
    return [
        f"{host.name}: in maintenance until {host.maintenance.until}, {host.maintenance.why}"
        for host in hosts
        if host.maintenance
    ]


def _today() -> date:
    return datetime.now(UTC).date()
