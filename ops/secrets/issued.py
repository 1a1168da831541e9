"""Write down which secrets were ever made, by name, and what of them is public."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from ops.files import replace, text, there
from ops.inventory.toml import read
from ops.model import Fleet
from ops.secrets.reality import is_private_key, public_key

_HEADER = """\
# Which secrets exist, by name, and what of them is public. Commit this file.
# Written by `ops secrets`: with it, a clone without secrets.toml knows not to make new ones.

"""


def path(fleet: Fleet) -> Path:
    """Return the file, which need not be there."""
    return fleet.folder / "inventory" / "issued.toml"


def places(fleet: Fleet) -> set[tuple[str, ...]]:
    """Return where every secret that was ever made stands in the secrets' file."""
    issued = _read(fleet)
    keys = issued.get("keys", {}).items()
    inbounds = (
        (host, inbound, entry["made"])
        for host, entries in issued.get("hosts", {}).items()
        for inbound, entry in entries.items()
    )
    return {("keys", name, field) for name, fields in keys for field in fields} | {
        ("hosts", host, inbound, field) for host, inbound, fields in inbounds for field in fields
    }


def data_of(secrets: str) -> dict[str, Any]:
    """Return the data of the secrets' file that holds *secrets*, as :func:`keep` takes it."""
    return tomllib.loads(secrets)


def keep(fleet: Fleet, secrets: Mapping[str, Any]) -> None:
    """Write down what *secrets*, the data of the secrets' file, holds; forget nothing older."""
    issued = _read(fleet)
    keys: dict[str, Any] = issued.setdefault("keys", {})
    for name, fields in secrets.get("keys", {}).items():
        keys[name] = sorted({*keys.get(name, []), *(f for f in fields if fields[f])})
    hosts: dict[str, Any] = issued.setdefault("hosts", {})
    for host, inbounds in secrets.get("hosts", {}).items():
        for inbound, fields in inbounds.items():
            entry = hosts.setdefault(host, {}).setdefault(inbound, {})
            entry["made"] = sorted({*entry.get("made", []), *(f for f in fields if fields[f])})
            if is_private_key(str(fields.get("private_key"))):  # one may be wrong meanwhile
                entry["public_key"] = public_key(fields["private_key"])
    written = _HEADER + tomlkit.dumps({name: part for name, part in issued.items() if part})
    if not there(path(fleet)) or text(path(fleet)) != written:
        replace(path(fleet), written.encode())


def _read(fleet: Fleet) -> dict[str, Any]:
    return read(path(fleet)).data if there(path(fleet)) else {}
