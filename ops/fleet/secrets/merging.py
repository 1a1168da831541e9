"""Merge two versions of the encrypted secrets, secret by secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from ops.errors import SecretsError
from ops.files import decode_text, locked, write_atomically
from ops.fleet.inventory.toml import parse_document
from ops.fleet.secrets import age, issued
from ops.fleet.secrets.places import SecretPlace, put_secret, secret_name

FILES = ("secrets.toml.age", "issued.toml", "recipients.txt")
"""The files that are merged, in the fleet's inventory/."""
_ABSENT = object()


@dataclass(frozen=True)
class Sides:
    """The common ancestor and both versions of one file. *base* is None if there is no ancestor."""

    base: bytes | None
    ours: bytes
    theirs: bytes


def merge(inventory: Path, sides: Mapping[str, Sides], take: str = "") -> list[Path]:
    """Write the merged files in the folder *inventory*; return their paths.

    *take* is ``ours`` or ``theirs``, for secrets that both sides changed. SecretsError lists these
    secrets if *take* is empty; nothing is written then.
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
        put_secret(document, place, value)
    sealed = age.encrypt(tomlkit.dumps(document), keys)
    age.must_open(sealed)
    yield file, sealed
    if versions := sides.get("issued.toml"):
        known = [
            parse_document("issued.toml", (side or b"").decode()).data for side in _each(versions)
        ]
        yield inventory / "issued.toml", issued.joined(known[1:], document.unwrap())
    if "recipients.txt" in sides:
        yield inventory / "recipients.txt", age.listing(keys)


def _each(sides: Sides) -> tuple[bytes | None, bytes, bytes]:
    return sides.base, sides.ours, sides.theirs


def _secrets(file: Path, sealed: bytes | None) -> dict[SecretPlace, Any]:
    if not sealed:
        return {}
    text = age.opened(file, sealed)
    return dict(_flat(parse_document("secrets.toml", text, secret=True).data))


def _flat(table: Mapping[str, Any], before: SecretPlace = ()) -> Iterator[tuple[SecretPlace, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*before, name))
        else:
            yield (*before, name), value


def _together(
    base: dict[SecretPlace, Any],
    ours: dict[SecretPlace, Any],
    theirs: dict[SecretPlace, Any],
    take: str,
) -> dict[SecretPlace, Any]:
    """Return the merged secrets: each in the version of the side that changed it."""
    merged: dict[SecretPlace, Any] = {}
    torn = []
    for place in dict.fromkeys([*ours, *theirs]):
        before, mine, other = (side.get(place, _ABSENT) for side in (base, ours, theirs))
        if mine != other and before not in (mine, other):
            torn.append(secret_name(place))
        theirs_counts = before == mine or (before != other and take == "theirs")
        value = other if theirs_counts else mine
        if value is not _ABSENT:
            merged[place] = value
    if torn and not take:
        raise SecretsError(
            f"both sides changed {', '.join(torn)}: decide with --take ours or --take theirs; "
            "people with a link of the other lose access. Nothing was changed"
        )
    return merged


def _listed(inventory: Path, sides: Sides | None) -> str:
    """Return the text of recipients.txt, merged line by line."""
    file = inventory / "recipients.txt"
    if sides is None:
        return age.listed(file)
    base, ours, theirs = (decode_text(file, side or b"").splitlines() for side in _each(sides))
    ours_and_new = [line for line in ours if line in theirs or line not in base]
    return "\n".join([*ours_and_new, *(line for line in theirs if line not in {*ours, *base})])
