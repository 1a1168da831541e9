"""Read a fleet's files and check all that they say, each by itself and together."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ops.errors import FleetError, Problem
from ops.inventory import build, checks, inbounds
from ops.inventory.shape import HostsFile, IssuedFile, KeysFile
from ops.inventory.toml import Document, read
from ops.inventory.wording import Checked, checked
from ops.model import Fleet

Shape = TypeVar("Shape", bound=BaseModel)


def fleet_in(folder: Path) -> Fleet:
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
