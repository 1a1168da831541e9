"""Read a fleet's folder strictly, once: past this room everything trusts its types."""

import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ops.errors import FleetError, OpsError, Problem, UsageError
from ops.files import as_ops_error, exists, read_text, shown_path
from ops.fleet.inventory import cache, known_hosts
from ops.fleet.inventory.cache import FILES
from ops.fleet.inventory.pyinfra import Members, groups, strangers, unmatched, visited
from ops.fleet.inventory.run import in_our_words, typed
from ops.fleet.inventory.toml import Document, read_document
from ops.model import Fleet, Host

__all__ = [
    "FILES",
    "Document",
    "documents",
    "find",
    "load",
    "pyinfra_groups",
]


def find(folder: Path | None = None) -> Path:
    """Return the fleet's folder: *folder*, ``$OPS_FLEET``, or the nearest one from here up."""
    if asked := folder or os.environ.get("OPS_FLEET"):
        return Path(os.path.realpath(asked))
    here = _here()
    for candidate in (here, *here.parents):
        if _holds_a_fleet(candidate):
            return candidate
    raise UsageError(f"no inventory/hosts.toml in {here} or above it; `ops init DIR` makes a fleet")


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the folder you are in was deleted: `cd` to another one") from None


def _holds_a_fleet(folder: Path) -> bool:
    """Return whether hosts.toml lies in *folder*; what is closed to us may hold it."""
    try:
        return exists(folder / "inventory" / "hosts.toml")
    except OSError:
        return True


def load(folder: Path, *, passing: bool = False) -> Fleet:
    """Return the fleet in *folder*; FleetError with every problem of its files.

    What is read is kept for the next command, unless the folder is a *passing* one.
    """
    return _strictly(folder) if passing else cache.cached_fleet(folder, _strictly)


def _strictly(folder: Path) -> Fleet:
    from ops.fleet.inventory.strict import fleet_in  # pydantic costs as much as all else of a start

    return fleet_in(folder)


def documents(folder: Path) -> tuple[Document, Document]:
    """Return hosts.toml and keys.toml of the fleet in *folder*, to say on which line a thing is."""
    inventory = folder / "inventory"
    return read_document(inventory / "hosts.toml"), read_document(inventory / "keys.toml")


def pyinfra_groups(folder: Path) -> dict[str, Members]:
    """Return the fleet in *folder* as pyinfra's groups; end the program if its files are wrong.

    pyinfra would show an exception of the inventory with a traceback of its own; what people
    need is the list of problems.
    """
    try:
        with as_ops_error():
            return _groups_of_the_run(folder)
    except OpsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


def _groups_of_the_run(folder: Path) -> dict[str, Members]:
    fleet = load(folder)
    _demand_known_hosts(fleet)
    chosen, today = typed(), datetime.now(UTC).date()
    found = groups(fleet, today, chosen)
    for option, patterns in chosen.items():
        unmatched(found, option, patterns)
    _warn_of_strangers(fleet, visited(fleet.hosts, today, chosen))
    logging.getLogger("pyinfra").addFilter(in_our_words)
    return found


def _demand_known_hosts(fleet: Fleet) -> None:
    if not exists(fleet.known_hosts):
        remedy = "make first contact with each host: `ops hosts trust NAME`"
        raise FleetError([Problem(shown_path(fleet.known_hosts), 0, "is missing", remedy)])
    lines = read_text(fleet.known_hosts).splitlines()
    if found := list(known_hosts.problems(shown_path(fleet.known_hosts), lines)):
        raise FleetError(found)


def _warn_of_strangers(fleet: Fleet, hosts: Sequence[Host]) -> None:
    for host in strangers(fleet, hosts):
        sys.stderr.write(
            f"{host}: its host key is not in {shown_path(fleet.known_hosts)}, so ssh will "
            f"refuse it; make first contact with `ops hosts trust {host}`\n"
        )
