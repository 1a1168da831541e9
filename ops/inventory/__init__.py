"""Read a fleet's folder strictly, once: past this room everything trusts its types."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ops.errors import FleetError, Problem, UsageError
from ops.inventory import build, checks, inbounds
from ops.inventory.pyinfra import Members, groups, strangers
from ops.inventory.shape import HostsFile, IssuedFile, KeysFile
from ops.inventory.toml import Document, read, shown
from ops.inventory.wording import Checked, checked, did_you_mean
from ops.model import Fleet

__all__ = ["Document", "did_you_mean", "documents", "find", "load", "pyinfra_groups"]

Shape = TypeVar("Shape", bound=BaseModel)


def find(folder: Path | None = None) -> Path:
    """Return the fleet's folder: *folder*, ``$OPS_FLEET``, or the nearest one from here up."""
    if asked := folder or os.environ.get("OPS_FLEET"):
        return Path(asked).resolve()
    here = Path.cwd()
    for candidate in (here, *here.parents):
        if (candidate / "inventory" / "hosts.toml").is_file():
            return candidate
    raise UsageError(f"no inventory/hosts.toml in {here} or above it; `ops init DIR` makes a fleet")


def load(folder: Path) -> Fleet:
    """Return the fleet in *folder*; FleetError with every problem of its files."""
    inventory = folder / "inventory"
    hosts_toml, hosts = _read(inventory / "hosts.toml", HostsFile)
    keys_toml, keys = _read(inventory / "keys.toml", KeysFile)
    _, issued = _read(inventory / "issued.toml", IssuedFile, may_lack=True)
    problems = [*hosts.problems, *keys.problems, *issued.problems]
    if hosts.shape and keys.shape:
        dropped = [
            quoted
            for name in hosts.dropped | keys.dropped
            for quoted in (f"'{name}'", f"/{name}'", f"'{name}/")
        ]
        found = _disagreements(hosts_toml, hosts.shape, keys_toml, keys.shape)
        problems += (p for p in found if not any(name in p.message for name in dropped))
    if problems or not (hosts.shape and keys.shape and issued.shape):
        raise FleetError(sorted(set(problems)))
    return build.fleet_of(folder, hosts.shape, keys.shape, issued.shape)


def documents(folder: Path) -> tuple[Document, Document]:
    """Return hosts.toml and keys.toml of the fleet in *folder*, to say on which line a thing is."""
    inventory = folder / "inventory"
    return read(inventory / "hosts.toml"), read(inventory / "keys.toml")


def pyinfra_groups(folder: Path) -> dict[str, Members]:
    """Return the fleet in *folder* as pyinfra's groups; end the program if its files are wrong.

    pyinfra would show an exception of the inventory with a traceback of its own; what people
    need is the list of problems.
    """
    try:
        fleet = load(folder)
        _demand_known_hosts(fleet)
        return groups(fleet, datetime.now(UTC).date())
    except FleetError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


def _demand_known_hosts(fleet: Fleet) -> None:
    if not fleet.known_hosts.exists():
        remedy = "make first contact with each host: `ops hosts trust NAME`"
        raise FleetError([Problem(shown(fleet.known_hosts), 0, "is missing", remedy)])
    for host in strangers(fleet):
        sys.stderr.write(
            f"{host}: its host key is not in {shown(fleet.known_hosts)}, so ssh will refuse it; "
            f"make first contact with `ops hosts trust {host}`\n"
        )


def _disagreements(
    hosts_toml: Document, hosts: HostsFile, keys_toml: Document, keys: KeysFile
) -> Iterator[Problem]:
    """Find where the files, each right by itself, do not go together."""
    named = list(checks.names(hosts_toml, hosts))
    yield from named
    yield from checks.rules(hosts_toml, hosts, keys)
    yield from checks.keys(keys_toml, keys, hosts)
    yield from inbounds.kinds(hosts_toml, hosts)
    if not named:
        yield from inbounds.offers(hosts_toml, hosts)


def _read(
    path: Path, shape: type[Shape], *, may_lack: bool = False
) -> tuple[Document, Checked[Shape]]:
    nothing = Document(str(path), "", {})
    if may_lack and not path.exists():
        return nothing, checked(nothing, shape)
    try:
        document = read(path)
    except FleetError as error:
        return nothing, Checked(None, list(error.problems))
    return document, checked(document, shape)
