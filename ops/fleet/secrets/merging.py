"""Put together what two people did to the encrypted secrets, by name, as git does it by line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from ops.errors import SecretsError
from ops.files import decode_text, locked, write_atomically
from ops.fleet.inventory.toml import parse_document
from ops.fleet.secrets import age, issued
from ops.fleet.secrets.fill import Place, put, shown

FILES = ("secrets.toml.age", "issued.toml", "recipients.txt")
"""What is merged, in the fleet's inventory/."""
_ABSENT = object()


@dataclass(frozen=True)
class Sides:
    """What one file was before, and what each side made of it; None where it was not."""

    base: bytes | None
    ours: bytes
    theirs: bytes


def merge(inventory: Path, sides: Mapping[str, Sides], take: str = "") -> list[Path]:
    """Write the files of the folder *inventory* that both sides changed; return them.

    *take* is ``ours`` or ``theirs``, for what both sides changed. SecretsError names that where
    it is missing, and nothing is written then.
    """
    with locked(inventory):
        written = dict(_merged(inventory, sides, take))
        for path, content in written.items():
            write_atomically(path, content)
    return list(written)


def _merged(inventory: Path, sides: Mapping[str, Sides], take: str) -> Iterator[tuple[Path, bytes]]:
    file = inventory / "secrets.toml.age"
    keys = age.keys_in(_listed(inventory, sides.get("recipients.txt")))
    base, ours, theirs = (_secrets(file, side) for side in _each(sides[file.name]))
    secrets = _together(base, ours, theirs, take)
    document = tomlkit.document()
    for place, value in secrets.items():
        put(document, place, value)
    sealed = age.encrypt(tomlkit.dumps(document), keys)
    age.must_open(sealed)
    yield file, sealed
    if said := sides.get("issued.toml"):
        known = [parse_document("issued.toml", (side or b"").decode()).data for side in _each(said)]
        yield inventory / "issued.toml", issued.joined(known[1:], document.unwrap())
    if "recipients.txt" in sides:
        yield inventory / "recipients.txt", age.listing(keys)


def _each(sides: Sides) -> tuple[bytes | None, bytes, bytes]:
    return sides.base, sides.ours, sides.theirs


def _secrets(file: Path, sealed: bytes | None) -> dict[Place, Any]:
    if not sealed:
        return {}
    text = age.opened(file, sealed)
    return dict(_flat(parse_document("secrets.toml", text, secret=True).data))


def _flat(table: Mapping[str, Any], before: Place = ()) -> Iterator[tuple[Place, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*before, name))
        else:
            yield (*before, name), value


def _together(
    base: dict[Place, Any], ours: dict[Place, Any], theirs: dict[Place, Any], take: str
) -> dict[Place, Any]:
    """Return each secret as the side that changed it has it."""
    found: dict[Place, Any] = {}
    torn = []
    for place in dict.fromkeys([*ours, *theirs]):
        before, mine, other = (side.get(place, _ABSENT) for side in (base, ours, theirs))
        if mine != other and before not in (mine, other):
            torn.append(shown(place))
        theirs_counts = before == mine or (before != other and take == "theirs")
        value = other if theirs_counts else mine
        if value is not _ABSENT:
            found[place] = value
    if torn and not take:
        raise SecretsError(
            f"both sides changed {', '.join(torn)}: decide with --take ours or --take theirs; "
            "people with a link of the other lose access. Nothing was changed"
        )
    return found


def _listed(inventory: Path, sides: Sides | None) -> str:
    """Return who can read the secrets by recipients.txt, whose sides are merged line by line."""
    file = inventory / "recipients.txt"
    if sides is None:
        return age.listed(file)
    base, ours, theirs = (decode_text(file, side or b"").splitlines() for side in _each(sides))
    kept = [line for line in ours if line in theirs or line not in base]
    return "\n".join([*kept, *(line for line in theirs if line not in {*ours, *base})])
