"""The record of a lab: its network, its number of hosts, and the checkout that made it."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.addresses import Network
from lab.command import run
from lab.errors import LabError
from lab.state import is_locked, locked, state_folder

DEFAULT = "demo"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The content of a lab's ``lab.json``."""

    name: str
    number: int
    count: int
    owner: str
    """The path of the checkout that made the lab."""
    transient: bool = False
    """Whether the lab ends with the process that started it."""

    @property
    def folder(self) -> Path:
        """Return the lab's folder."""
        return lab_folder(self.name)

    @property
    def ours(self) -> bool:
        """Return whether this checkout made the lab."""
        return self.owner == str(Path.cwd())

    @property
    def network(self) -> Network:
        """Return the lab's addresses."""
        return Network(self.number)

    @property
    def orphaned(self) -> bool:
        """Return whether the lab is transient and its process is dead."""
        return self.transient and not is_locked(alive_file(self.name))

    def save(self) -> None:
        """Write the record atomically."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "lab.json.new"
        partial.write_text(json.dumps(asdict(self), indent=2) + "\n")
        partial.replace(self.folder / "lab.json")


def lab_folder(name: str) -> Path:
    """Return the folder of the lab *name*."""
    return state_folder() / "labs" / name


def alive_file(name: str) -> Path:
    """Return the file that the process of a transient lab locks."""
    return state_folder() / "labs" / f"{name}.alive"


def read(name: str) -> Record | None:
    """Return the record of a lab; None if there is none."""
    try:
        return Record(**json.loads((lab_folder(name) / "lab.json").read_text()))
    except FileNotFoundError:
        return None


def every() -> list[Record]:
    """Return the records of all labs, sorted by name."""
    names = sorted(file.parent.name for file in (state_folder() / "labs").glob("*/lab.json"))
    return [record for name in names if (record := read(name))]


def claim(name: str, count: int, *, transient: bool = False) -> Record:
    """Return the record of the lab *name* with at least *count* hosts. Write it if it is new."""
    if not _NAME.fullmatch(name):
        raise LabError(f"a lab's name is 1 to 11 of a-z, 0-9 and -, a letter first: not {name!r}")
    with locked(state_folder() / "labs.lock"):
        old = read(name)
        record = Record(
            name=name,
            number=old.number if old else _free_number(name),
            count=max(count, old.count if old else 0),
            owner=old.owner if old else str(Path.cwd()),
            transient=old.transient if old else transient,
        )
        record.save()
    return record


def _free_number(name: str) -> int:
    if name == DEFAULT:
        return 0
    taken = {record.number for record in every()} | {0}
    # Labs of other state folders are visible by their routes.
    routes = run("ip", "route", "show", "proto", "kernel")
    taken |= {int(number) for number in re.findall(r"10\.123\.(\d+)\.0/24", routes)}
    for number in range(1, 250):
        if number not in taken:
            return number
    raise LabError("249 labs are up: end some, python -m lab down --all")
