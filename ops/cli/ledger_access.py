"""The ledger for verbs: opened when it is needed, and what the options select in it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ops.cli.options import Selected
from ops.errors import UsageError
from ops.fleet.inventory import unknown

if TYPE_CHECKING:  # importing the ledger loads SQLAlchemy: verbs do it when they run
    from ops.ledger import Ledger


@contextmanager
def opened(selected: Selected, *, make: bool = False) -> Iterator["Ledger"]:
    """Yield the fleet's ledger. LedgerError where there is none and it is not to be made."""
    from ops.ledger import open_ledger

    with open_ledger(selected.fleet, make=make) as ledger:
        yield ledger


def host_names(selected: Selected, ledger: "Ledger") -> frozenset[str] | None:
    """Return the hosts that the options name, those that left the fleet too; None means all."""
    if not (selected.host_globs or selected.group_globs):
        return None
    there = {host.name for host in selected.fleet.hosts}
    there |= {host.name for host in ledger.hosts()}
    chosen = set(_matching("host", selected.host_globs, there))
    groups = {group for host in selected.fleet.hosts for group in host.groups}
    named = set(_matching("group", selected.group_globs, groups))
    chosen |= {host.name for host in selected.fleet.hosts if named & set(host.groups)}
    return frozenset(chosen)


def key_names(selected: Selected, ledger: "Ledger") -> frozenset[str] | None:
    """Return the keys that the options name, those that left the fleet too; None means all."""
    if not selected.key_globs:
        return None
    return frozenset(_matching("key", selected.key_globs, known_keys(selected, ledger)))


def known_keys(selected: Selected, ledger: "Ledger") -> set[str]:
    """Return the keys of the inventory, and those that the ledger ever heard of."""
    return {key.name for key in selected.fleet.keys} | set(ledger.keys())


def _matching(what: str, globs: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    names = list(names)
    for glob in globs:
        found = [name for name in names if fnmatchcase(name, glob)]
        if not found:
            raise UsageError(unknown(what, glob, names))
        yield from found
