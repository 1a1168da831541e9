"""Read and check a fleet's folder. All other rooms rely on the types and values of the result."""

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
from ops.fleet.inventory.pyinfra import Members, groups, refuse_unmatched, untrusted_hosts, visited
from ops.fleet.inventory.pyinfra_cli import name_our_command, typed_targets
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
    """Return the fleet's folder: *folder*, ``$OPS_FLEET``, the working folder, or one above it."""
    if given := folder or os.environ.get("OPS_FLEET"):
        return Path(os.path.realpath(given))
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
    """Return whether *folder* has a hosts.toml, or whether this user cannot look into it."""
    try:
        return exists(folder / "inventory" / "hosts.toml")
    except OSError:
        return True


def load(folder: Path, *, passing: bool = False) -> Fleet:
    """Return the fleet in *folder*; FleetError with every problem of its files.

    The result is cached for the next command, unless *passing* says that the folder is temporary.
    """
    return _strictly(folder) if passing else cache.cached_fleet(folder, _strictly)


def _strictly(folder: Path) -> Fleet:
    from ops.fleet.inventory.strict import fleet_in  # importing pydantic takes half of a start

    return fleet_in(folder)


def documents(folder: Path) -> tuple[Document, Document]:
    """Return hosts.toml and keys.toml of the fleet in *folder*, with their lines."""
    inventory = folder / "inventory"
    return read_document(inventory / "hosts.toml"), read_document(inventory / "keys.toml")


def pyinfra_groups(folder: Path) -> dict[str, Members]:
    """Return the fleet in *folder* as pyinfra's groups; end the program if its files are wrong.

    The program ends here, because pyinfra would print an exception of the inventory with a
    traceback.
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
    chosen, today = typed_targets(), datetime.now(UTC).date()
    members = groups(fleet, today, chosen)
    for option, patterns in chosen.items():
        refuse_unmatched(members, option, patterns)
    _warn_of_untrusted_hosts(fleet, visited(fleet.hosts, today, chosen))
    logging.getLogger("pyinfra").addFilter(name_our_command)
    return members


def _demand_known_hosts(fleet: Fleet) -> None:
    if not exists(fleet.known_hosts):
        remedy = "make first contact with each host: `ops hosts trust NAME`"
        raise FleetError([Problem(shown_path(fleet.known_hosts), 0, "is missing", remedy)])
    lines = read_text(fleet.known_hosts).splitlines()
    if problems := list(known_hosts.problems(shown_path(fleet.known_hosts), lines)):
        raise FleetError(problems)


def _warn_of_untrusted_hosts(fleet: Fleet, hosts: Sequence[Host]) -> None:
    for host in untrusted_hosts(fleet, hosts):
        sys.stderr.write(
            f"{host}: its host key is not in {shown_path(fleet.known_hosts)}, so ssh will "
            f"refuse it; make first contact with `ops hosts trust {host}`\n"
        )
