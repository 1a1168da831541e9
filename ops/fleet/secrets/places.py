"""The places of secrets in the data of secrets.toml."""

from typing import Any

import tomlkit

SecretPlace = tuple[str, ...]
"""The path of a secret: ``("keys", "alice", "uuid")``, ``("hosts", "ams1", "reality", "psk")``."""


def secret_name(place: SecretPlace) -> str:
    """Return the name of the secret at *place* for messages.

    >>> secret_name(("hosts", "ams1", "reality", "private_key"))
    'ams1/reality: private_key'
    """
    return f"{owner_of(place)}: {place[-1]}"


def owner_of(place: SecretPlace) -> str:
    """Return the key, or the inbound as ``host/inbound``, to which the secret belongs."""
    return "/".join(place[1:-1])


def places_in(document: Any) -> set[SecretPlace]:
    """Return the places of all secrets in *document*."""
    keys = document.get("keys", {}).items()
    hosts = document.get("hosts", {}).items()
    return {("keys", name, field) for name, fields in keys for field in fields} | {
        ("hosts", host, inbound, field)
        for host, inbounds in hosts
        for inbound, fields in inbounds.items()
        for field in fields
    }


def get_secret(document: Any, place: SecretPlace) -> Any:
    """Return the secret at *place* of *document*; empty if there is none."""
    for part in place:
        document = document.get(part) or {}
    return document


def put_secret(document: Any, place: SecretPlace, value: Any) -> None:
    """Write *value* to *place* of *document*, and make missing tables."""
    *tables, field = place
    for depth, part in enumerate(tables):
        if part not in document:
            document[part] = tomlkit.table(is_super_table=depth < len(tables) - 1)
        document = document[part]
    document[field] = value


def delete_secret(document: Any, place: SecretPlace) -> None:
    """Remove the secret at *place* from *document*, and each table that becomes empty."""
    *tables, field = place
    holders = [document]
    for part in tables:
        holders.append(holders[-1].get(part, {}))
    holders[-1].pop(field, None)
    for holder, part in zip(reversed(holders[:-1]), reversed(tables), strict=True):
        if part in holder and not holder[part]:
            del holder[part]
