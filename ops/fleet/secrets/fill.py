"""Make the secrets that never existed; never replace, unasked, one that ever did.

What was ever made is written down by name in ``issued.toml``, which is committed: a clone
without the secrets then knows that they exist somewhere, and does not make new ones that
would cut everybody off.
"""

import base64
import secrets as random
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import uuid4

import tomlkit

from ops.errors import SecretsError, UsageError
from ops.files import locked
from ops.fleet.secrets import issued, store
from ops.fleet.secrets.reality import new_private_key
from ops.model import FIELD_OF, Fleet
from ops.model.phrases import listed
from ops.model.spelling import with_suggestion

Place = tuple[str, ...]
"""Where a secret stands in the file: ``("keys", "alice", "uuid")``."""

_MAKERS: dict[str, Callable[[], Any]] = {
    "uuid": lambda: str(uuid4()),
    "password": lambda: random.token_urlsafe(24),
    "psk": lambda: base64.b64encode(random.token_bytes(32)).decode(),
    "private_key": new_private_key,
    "short_ids": lambda: [random.token_hex(8)],
}


def fill(fleet: Fleet, replace: Iterable[str] = ()) -> list[str]:
    """Make what is missing, and anew what belongs to *replace*; return what was made, by name.

    *replace* names keys, or inbounds as ``host/inbound``. SecretsError where a secret was made
    once and is not here now: nothing is written then.
    """
    with locked(fleet.folder / "inventory"):
        wanted = list(dict.fromkeys(_wanted(fleet)))
        again = places_of(fleet, replace)
        document = store.document(fleet)
        issued.must_match(fleet, document, again)
        known = issued.places(fleet) - again
        lost = [place for place in wanted if place in known and not get(document, place)]
        if lost:
            raise SecretsError(_lost(lost))
        made = [place for place in wanted if place in again or not get(document, place)]
        for place in made:
            put(document, place, _MAKERS[place[-1]]())
        if made:
            store.write(fleet, tomlkit.dumps(document))
        issued.keep(fleet, issued.data_of(tomlkit.dumps(document)), again)
        return [shown(place) for place in made]


def forget(fleet: Fleet, names: Iterable[str]) -> list[str]:
    """Delete the secrets of *names* that left the fleet; return what was deleted, by name.

    *names* are keys, hosts, or inbounds as ``host/inbound``. UsageError for one that has no
    secrets, or is of the fleet still: nothing is deleted then.
    """
    with locked(fleet.folder / "inventory"):
        document = store.document(fleet)
        held = held_in(document) | issued.places(fleet)
        gone = {place for name in names for place in _gone(fleet, held, name)}
        for place in gone:
            delete(document, place)
        if gone & held_in(store.document(fleet)):
            store.write(fleet, tomlkit.dumps(document))
        issued.forget(fleet, {"/".join(place[1:-1]) for place in gone})
        return [shown(place) for place in sorted(gone)]


def departed(fleet: Fleet) -> list[str]:
    """Return the keys and inbounds that have secrets, and are not of the fleet any more."""
    here = _living(fleet)
    owners = {"/".join(place[1:-1]) for place in issued.places(fleet)}
    return sorted(owner for owner in owners if owner not in here)


def _gone(fleet: Fleet, held: set[Place], name: str) -> set[Place]:
    found = {place for place in held if name in ("/".join(place[1:-1]), place[1])}
    if not found:
        owners = {"/".join(place[1:-1]) for place in held}
        raise UsageError(with_suggestion(f"{name!r} has no secrets here", name, owners))
    if living := _living(fleet) & {"/".join(place[1:-1]) for place in found}:
        one = sorted(living)[0]
        raise UsageError(f"{one} is in the inventory: take it out first; nothing was deleted")
    return found


def _living(fleet: Fleet) -> set[str]:
    inbounds = (f"{host.name}/{inbound.name}" for host in fleet.hosts for inbound in host.inbounds)
    return {*(key.name for key in fleet.keys), *inbounds}


def held_in(document: Any) -> set[Place]:
    """Return where *document* holds a secret."""
    keys = document.get("keys", {}).items()
    hosts = document.get("hosts", {}).items()
    return {("keys", name, field) for name, fields in keys for field in fields} | {
        ("hosts", host, inbound, field)
        for host, inbounds in hosts
        for inbound, fields in inbounds.items()
        for field in fields
    }


def delete(document: Any, place: Place) -> None:
    """Remove *place* from *document*, and each table that is empty then."""
    *tables, field = place
    holders = [document]
    for part in tables:
        holders.append(holders[-1].get(part, {}))
    holders[-1].pop(field, None)
    for holder, part in zip(reversed(holders[:-1]), reversed(tables), strict=True):
        if part in holder and not holder[part]:
            del holder[part]


def shown(place: Place) -> str:
    """Return *place* as people name it.

    >>> shown(("keys", "alice", "uuid")), shown(("hosts", "ams1", "reality", "private_key"))
    ('alice: uuid', 'ams1/reality: private_key')
    """
    return f"{'/'.join(place[1:-1])}: {place[-1]}"


def _wanted(fleet: Fleet) -> Iterator[Place]:
    """Yield every secret that the fleet's inbounds and the keys on them need."""
    for host in fleet.hosts:
        for inbound in host.inbounds:
            if inbound.security == "reality":
                yield ("hosts", host.name, inbound.name, "private_key")
                yield ("hosts", host.name, inbound.name, "short_ids")
            if inbound.protocol == "shadowsocks":
                yield ("hosts", host.name, inbound.name, "psk")
            for key in fleet.keys_on(host, inbound):
                yield ("keys", key.name, FIELD_OF[inbound.protocol])


def places_of(fleet: Fleet, names: Iterable[str]) -> set[Place]:
    """Return the places of the secrets of *names*: keys, or inbounds as ``host/inbound``.

    UsageError for a name that needs no secret in this fleet.
    """
    chosen, wanted = set(names), set(_wanted(fleet))
    owners = {"/".join(place[1:-1]) for place in wanted}
    for name in chosen - owners:
        message = f"{name!r} has no secrets to replace"
        raise UsageError(with_suggestion(message, name, owners))
    return {place for place in wanted if "/".join(place[1:-1]) in chosen}


def _lost(lost: list[Place]) -> str:
    names = listed([shown(place) for place in lost], most=5)
    return (
        f"issued.toml says that these were made, and they are not here: {names}. "
        "Making them again would cut people off: get secrets.toml from a colleague, or "
        "`ops secrets recover` reads them back from the servers. To replace one on purpose: "
        "`ops secrets fill --replace NAME`"
    )


def get(document: Any, place: Place) -> Any:
    """Return what stands at *place* of *document*, or something empty."""
    for part in place:
        document = document.get(part) or {}
    return document


def put(document: Any, place: Place, value: Any) -> None:
    """Write *value* at *place* of *document*, with the tables around it."""
    *tables, field = place
    for depth, part in enumerate(tables):
        if part not in document:
            document[part] = tomlkit.table(is_super_table=depth < len(tables) - 1)
        document = document[part]
    document[field] = value
