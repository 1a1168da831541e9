"""issued.toml: the names of all secrets that were made, and their public parts."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import tomlkit

from ops.errors import SecretsError
from ops.files import exists, read_text, write_atomically
from ops.fleet.inventory.toml import read_document
from ops.fleet.secrets.reality import is_private_key, public_key
from ops.model import Fleet

_HEADER = """\
# Which secrets exist, by name, and what of them is public. Commit this file.
# Written by `ops secrets`: with it, a clone without secrets.toml knows not to make new ones.
# `fleet` is the fleet's name for itself: a server that carries it counts for this fleet.

"""


def path(fleet: Fleet) -> Path:
    """Return the path of issued.toml. The file can be missing."""
    return fleet.folder / "inventory" / "issued.toml"


def places(fleet: Fleet) -> set[tuple[str, ...]]:
    """Return the places of all secrets that were made."""
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
    """Return the data in *secrets*, the text of secrets.toml, for :func:`keep`."""
    return tomllib.loads(secrets)


def must_match(
    fleet: Fleet, secrets: Mapping[str, Any], again: Collection[tuple[str, ...]] = ()
) -> None:
    """Raise SecretsError if *secrets* is older than issued.toml, with other private keys.

    Private keys at the places in *again* are not compared, because they are being replaced.
    """
    issued = _read(fleet).get("hosts", {})
    older = [
        f"{host}/{inbound}"
        for host, inbounds in secrets.get("hosts", {}).items()
        for inbound, fields in inbounds.items()
        if ("hosts", host, inbound, "private_key") not in again
        and _is_another(fields, issued.get(host, {}).get(inbound, {}))
    ]
    if older:
        raise SecretsError(
            f"the secrets here are older than issued.toml: {', '.join(older)} had another private "
            "key then, and links carry the newer one. Get the newer secrets from a colleague, or "
            f"read them back from the servers: `ops secrets recover --replace {older[0]}`. "
            "Nothing was changed"
        )


def _is_another(fields: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    private, known = str(fields.get("private_key")), entry.get("public_key")
    return bool(known) and is_private_key(private) and public_key(private) != known


def forget(fleet: Fleet, owners: Collection[str]) -> None:
    """Remove the entries of *owners*: keys, and inbounds as ``host/inbound``."""
    issued = _read(fleet)
    issued["keys"] = {n: made for n, made in issued.get("keys", {}).items() if n not in owners}
    hosts = {
        host: {n: entry for n, entry in inbounds.items() if f"{host}/{n}" not in owners}
        for host, inbounds in issued.get("hosts", {}).items()
    }
    issued["hosts"] = {host: inbounds for host, inbounds in hosts.items() if inbounds}
    _write(fleet, issued)


def rename(fleet: Fleet, owners: Mapping[tuple[str, ...], tuple[str, ...]]) -> None:
    """Move the entry of each of *owners* to its new place, such as ``("hosts", "ams2", "ws")``."""
    issued = _read(fleet)
    for (kind, *old), (_, *new) in owners.items():
        holders, targets = issued.get(kind, {}), issued.setdefault(kind, {})
        for part in old[:-1]:
            holders = holders.get(part, {})
        for part in new[:-1]:
            targets = targets.setdefault(part, {})
        if old[-1] in holders:
            targets[new[-1]] = holders.pop(old[-1])
    hosts = issued.get("hosts", {})
    issued["hosts"] = {host: inbounds for host, inbounds in hosts.items() if inbounds}
    _write(fleet, issued)


def keep(fleet: Fleet, secrets: Mapping[str, Any], again: Collection[tuple[str, ...]] = ()) -> None:
    """Add the secrets in *secrets*, the data of secrets.toml, to issued.toml. Nothing is removed.

    SecretsError if *secrets* is older than issued.toml; *again* are places with a new secret.
    """
    must_match(fleet, secrets, again)
    issued = _read(fleet)
    _note(issued, secrets)
    _write(fleet, issued)


def joined(known: Iterable[Mapping[str, Any]], secrets: Mapping[str, Any]) -> bytes:
    """Return an issued.toml with the entries of all sides in *known*, and of *secrets*."""
    issued: dict[str, Any] = {}
    for side in known:
        if "fleet" in side:
            issued.setdefault("fleet", side["fleet"])
        for name, fields in side.get("keys", {}).items():
            held = issued.setdefault("keys", {})
            held[name] = sorted({*held.get(name, []), *fields})
        for host, inbounds in side.get("hosts", {}).items():
            for inbound, entry in inbounds.items():
                held = issued.setdefault("hosts", {}).setdefault(host, {}).setdefault(inbound, {})
                made = sorted({*held.get("made", []), *entry["made"]})
                held.update({**entry, **held, "made": made})
    _note(issued, secrets)
    return _written(issued)


def _note(issued: dict[str, Any], secrets: Mapping[str, Any]) -> None:
    """Add entries for *secrets* to *issued*, and an ID for the fleet if it has none."""
    issued.setdefault("fleet", uuid4().hex)
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


def _write(fleet: Fleet, issued: Mapping[str, Any]) -> None:
    written = _written(issued)
    if not exists(path(fleet)) or read_text(path(fleet)).encode() != written:
        write_atomically(path(fleet), written)


def _written(issued: Mapping[str, Any]) -> bytes:
    parts = {name: issued[name] for name in ("fleet", "keys", "hosts") if issued.get(name)}
    return (_HEADER + tomlkit.dumps(parts)).encode()


def _read(fleet: Fleet) -> dict[str, Any]:
    return read_document(path(fleet)).data if exists(path(fleet)) else {}
