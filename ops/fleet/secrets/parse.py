"""Parse secrets.toml, and find mistakes that the core would not report."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from uuid import UUID

from ops.errors import FleetError, Problem
from ops.fleet.inventory.pydantic_errors import checked
from ops.fleet.inventory.shape import SecretsFile
from ops.fleet.inventory.shape.secrets import InboundSecretsTable, KeySecretsTable
from ops.fleet.inventory.toml import Document, Location
from ops.fleet.inventory.toml import parse_document as parse_toml
from ops.fleet.secrets.reality import is_private_key, public_key
from ops.model import Fleet, InboundSecrets, KeySecrets, Secrets

SHORTEST_PASSWORD = 16


def parse(fleet: Fleet, file: str, text: str) -> Secrets:
    """Return the secrets in *text*; *file* is its name in messages. FleetError if it is wrong."""
    document = parse_toml(file, text, secret=True)
    result = checked(document, SecretsFile)
    problems = list(result.problems)
    if result.shape:
        problems += _key_problems(document, result.shape.keys)
        problems += _inbound_problems(document, result.shape.hosts)
        problems += _mismatches(document, result.shape.hosts, fleet)
    if problems or not result.shape:
        raise FleetError(sorted(problems))
    return _secrets(result.shape)


def _secrets(file: SecretsFile) -> Secrets:
    return Secrets(
        keys={name: KeySecrets(**table.model_dump()) for name, table in file.keys.items()},
        inbounds={
            (host, name): InboundSecrets(
                private_key=table.private_key, short_ids=tuple(table.short_ids), psk=table.psk
            )
            for host, inbounds in file.hosts.items()
            for name, table in inbounds.items()
        },
    )


def _key_problems(document: Document, keys: Mapping[str, KeySecretsTable]) -> Iterator[Problem]:
    seen: dict[tuple[str, object], str] = {}
    for name, table in keys.items():
        place: Location = ("keys", name)
        if table.uuid and not is_uuid(table.uuid):
            message = f"the uuid of {name!r} is no UUID"
            yield document.problem((*place, "uuid"), message, _another(name))
        if table.password and len(table.password) < SHORTEST_PASSWORD:
            message = f"the password of {name!r} has less than {SHORTEST_PASSWORD} characters"
            remedy = f"it would be guessed: {_another(name)}"
            yield document.problem((*place, "password"), message, remedy)
        if table.psk and not is_psk(table.psk):
            message = f"the psk of {name!r} is not 32 bytes in base64"
            yield document.problem((*place, "psk"), message, _another(name))
        for field, identity in _identities(table):
            other = seen.setdefault((field, identity), name)
            if other != name:
                yield document.problem((*place, field), *_same(field, name, other))


def _identities(table: KeySecretsTable) -> Iterator[tuple[str, object]]:
    """Yield the values by which the core distinguishes users, in the core's form."""
    if is_uuid(table.uuid):
        raw = bytearray(UUID(table.uuid).bytes)
        raw[6:8] = b"\0\0"  # VLESS ignores the third group: proxy/vless/validator.go, ProcessUUID
        yield "uuid", bytes(raw)
    if table.password:
        yield "password", table.password
    if table.psk:
        yield "psk", table.psk


def _same(field: str, name: str, other: str) -> tuple[str, str]:
    if field == "uuid":
        return (
            f"{name!r} and {other!r} have UUIDs that the core takes for one: "
            "it ignores the third group",
            _another(name),
        )
    return f"{name!r} and {other!r} have the same {field}", _another(name)


def _another(owner: str) -> str:
    """Return the remedy for a wrong secret of *owner*, a key or ``host/inbound``."""
    return f"put the right one back, or `ops secrets fill --replace {owner}` makes another"


def _inbound_problems(
    document: Document, hosts: Mapping[str, Mapping[str, InboundSecretsTable]]
) -> Iterator[Problem]:
    for host, inbounds in hosts.items():
        for name, table in inbounds.items():
            place: Location = ("hosts", host, name)
            owner = f"{host}/{name}"
            if table.private_key and not is_private_key(table.private_key):
                message = f"the private_key of {owner!r} is no X25519 private key"
                yield document.problem((*place, "private_key"), message, _another(owner))
            for short_id in table.short_ids:
                if not is_short_id(short_id):
                    message = f"a short id of {owner!r} has not 2, 4, ... 16 hex digits"
                    where = (*place, "short_ids")
                    yield document.problem(where, message, _another(owner), value=short_id)
            if table.psk and not is_psk(table.psk):
                message = f"the psk of {owner!r} is not 32 bytes in base64"
                yield document.problem((*place, "psk"), message, _another(owner))


def _mismatches(
    document: Document, hosts: Mapping[str, Mapping[str, InboundSecretsTable]], fleet: Fleet
) -> Iterator[Problem]:
    """Find private keys that do not belong to the public keys in links."""
    for (host, name), public in fleet.public_keys.items():
        table = hosts.get(host, {}).get(name)
        if table and is_private_key(table.private_key) and public_key(table.private_key) != public:
            message = f"{host}/{name}: this is not the private key of the public one in issued.toml"
            remedy = "nobody who has a link could connect: put the right one back"
            yield document.problem(("hosts", host, name, "private_key"), message, remedy)


def is_short_id(text: str) -> bool:
    """Return whether *text* is a REALITY short ID: 2, 4, ... 16 hexadecimal digits."""
    return bool(re.fullmatch(r"([0-9a-f]{2}){1,8}", text))


def is_uuid(text: str) -> bool:
    """Return whether *text* is a UUID in the form 8-4-4-4-12."""
    return bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text))


def is_psk(text: str) -> bool:
    """Return whether *text* is 32 bytes in base64."""
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
