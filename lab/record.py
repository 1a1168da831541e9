"""What a lab's folder says about it: its network, its hosts, and the checkout it belongs to."""

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
    """One lab, as written in its ``lab.json``."""

    name: str
    number: int
    count: int
    owner: str
    """The checkout that made it; another one may find it still there."""
    transient: bool = False
    """It ends with the process that brought it up; nobody needs it after that."""

    @property
    def folder(self) -> Path:
        """Return the lab's folder."""
        return lab_folder(self.name)

    @property
    def ours(self) -> bool:
        """Return whether this checkout made it."""
        return self.owner == str(Path.cwd())

    @property
    def network(self) -> Network:
        """Return the lab's addresses."""
        return Network(self.number)

    @property
    def orphaned(self) -> bool:
        """Return whether it was to end with a process that is dead."""
        return self.transient and not is_locked(alive_file(self.name))

    def save(self) -> None:
        """Write it, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "lab.json.new"
        partial.write_text(json.dumps(asdict(self), indent=2) + "\n")
        partial.replace(self.folder / "lab.json")


def lab_folder(name: str) -> Path:
    """Return where the lab called *name* lives."""
    return state_folder() / "labs" / name


def alive_file(name: str) -> Path:
    """Return the file that the owner of a transient lab holds locked."""
    return state_folder() / "labs" / f"{name}.alive"


def read(name: str) -> Record | None:
    """Return the record of a lab; nothing if there is none."""
    try:
        return Record(**json.loads((lab_folder(name) / "lab.json").read_text()))
    except FileNotFoundError:
        return None


def every() -> list[Record]:
    """Return the records of all labs, by name."""
    names = sorted(file.parent.name for file in (state_folder() / "labs").glob("*/lab.json"))
    return [record for name in names if (record := read(name))]


def claim(name: str, count: int, *, transient: bool = False) -> Record:
    """Return the record of *name* with room for *count* hosts, written now if it is new."""
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
    # A lab of another state folder shows by its route.
    routes = run("ip", "route", "show", "proto", "kernel")
    taken |= {int(found) for found in re.findall(r"10\.123\.(\d+)\.0/24", routes)}
    for number in range(1, 250):
        if number not in taken:
            return number
    raise LabError("249 labs are up: end some, python -m lab down --all")
