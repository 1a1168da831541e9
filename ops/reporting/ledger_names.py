"""Globs over the names in the ledger, including hosts and keys that left the fleet."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ops.errors import UnknownNameError
from ops.reporting.selection import Selection

if TYPE_CHECKING:  # the ledger loads SQLAlchemy, which live reports do not need
    from ops.ledger import Ledger


def host_names(selection: Selection, ledger: "Ledger") -> frozenset[str] | None:
    """Return the names of the selected hosts; None if no glob for hosts or groups was given.

    Raises UsageError if a glob matches nothing.
    """
    if not selection.narrows_hosts:
        return None
    hosts = selection.fleet.hosts
    names = {host.name for host in hosts} | {host.name for host in ledger.hosts()}
    groups = {group for host in hosts for group in host.groups}
    chosen_groups = set(_matching("group", selection.group_globs, groups))
    in_groups = {host.name for host in hosts if chosen_groups & set(host.groups)}
    return frozenset(_matching("host", selection.host_globs, names)) | in_groups


def key_names(selection: Selection, ledger: "Ledger") -> frozenset[str] | None:
    """Return the names of the selected keys; None if no glob for keys was given.

    Raises UsageError if a glob matches nothing.
    """
    if not selection.key_globs:
        return None
    return frozenset(_matching("key", selection.key_globs, known_keys(selection, ledger)))


def known_keys(selection: Selection, ledger: "Ledger") -> set[str]:
    """Return the names of all keys in the inventory or in the ledger."""
    return {key.name for key in selection.fleet.keys} | set(ledger.keys())


def _matching(noun: str, globs: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    names = list(names)
    for glob in globs:
        matches = [name for name in names if fnmatchcase(name, glob)]
        if not matches:
            raise UnknownNameError(noun, glob, names)
        yield from matches
