"""Read a fleet's files, check each file, and check them together."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ops.errors import FleetError, Problem
from ops.files import exists, shown_path
from ops.fleet.inventory import build, checks, inbounds
from ops.fleet.inventory.pydantic_errors import MOST, Checked, checked
from ops.fleet.inventory.shape import HostsFile, IssuedFile, KeysFile
from ops.fleet.inventory.toml import Document, Location, problem_of, read_document
from ops.model import Fleet

Shape = TypeVar("Shape", bound=BaseModel)

_QUOTED = re.compile(r"'([^']*)'")


def fleet_in(folder: Path) -> Fleet:
    """Return the fleet in *folder*; FleetError with every problem of its files."""
    inventory = folder / "inventory"
    hosts_toml, hosts = _read(inventory / "hosts.toml", HostsFile)
    keys_toml, keys = _read(inventory / "keys.toml", KeysFile)
    _, issued = _read(inventory / "issued.toml", IssuedFile, may_lack=True)
    problems = [*hosts.problems, *keys.problems, *issued.problems]
    if hosts.shape and keys.shape:
        dropped = hosts.dropped | keys.dropped
        contradictions = _contradictions(
            hosts_toml, hosts.shape, keys_toml, keys.shape, hosts.damaged
        )
        known = (one for one in contradictions if not dropped & _named(one.message))
        problems += islice(known, MOST)
    if problems or not (hosts.shape and keys.shape and issued.shape):
        raise FleetError(_first(problems))
    return build.fleet_of(folder, hosts.shape, keys.shape, issued.shape)


def _first(problems: Iterable[Problem]) -> list[Problem]:
    """Return the first *problems*, in the order of the files, and a note if there are more."""
    ordered = sorted(set(problems))
    if len(ordered) <= MOST:
        return ordered
    return [
        *ordered[:MOST],
        Problem(ordered[MOST].file, 0, "holds more problems than are listed here"),
    ]


def _named(message: str) -> set[str]:
    """Return the names that *message* quotes, and the parts of ``host/inbound``."""
    return {part for quoted in _QUOTED.findall(message) for part in (quoted, *quoted.split("/"))}


def _contradictions(
    hosts_toml: Document,
    hosts: HostsFile,
    keys_toml: Document,
    keys: KeysFile,
    damaged: frozenset[Location],
) -> Iterator[Problem]:
    """Find contradictions between tables that are correct by themselves."""
    wrong_names = list(checks.names(hosts_toml, hosts))
    yield from wrong_names
    yield from checks.rules(hosts_toml, hosts, keys, damaged)
    yield from checks.keys(keys_toml, keys, hosts)
    yield from inbounds.kinds(hosts_toml, hosts, damaged)
    if not wrong_names:
        yield from inbounds.offers(hosts_toml, hosts)


def _read(
    path: Path, shape: type[Shape], *, may_lack: bool = False
) -> tuple[Document, Checked[Shape]]:
    nothing = Document(str(path), "", {})
    try:
        if may_lack and not exists(path):
            return nothing, checked(nothing, shape)
        document = read_document(path)
    except FleetError as error:
        return nothing, Checked(None, list(error.problems))
    except OSError as error:
        return nothing, Checked(None, [problem_of(error, shown_path(path))])
    return document, checked(document, shape)
