"""Make missing secrets, and delete those of departed keys and inbounds.

The committed file issued.toml lists the names of all secrets that were made. A clone without the
secrets therefore does not make new ones, which would cut off all people.
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
from ops.fleet.secrets.places import (
    SecretPlace,
    delete_secret,
    get_secret,
    owner_of,
    places_in,
    put_secret,
    secret_name,
)
from ops.fleet.secrets.reality import new_private_key
from ops.model import FIELD_OF, Fleet
from ops.model.phrases import listed
from ops.model.spelling import with_suggestion

_MAKERS: dict[str, Callable[[], Any]] = {
    "uuid": lambda: str(uuid4()),
    "password": lambda: random.token_urlsafe(24),
    "psk": lambda: base64.b64encode(random.token_bytes(32)).decode(),
    "private_key": new_private_key,
    "short_ids": lambda: [random.token_hex(8)],
}


def fill(fleet: Fleet, replace: Iterable[str] = ()) -> list[str]:
    """Make missing secrets, and new secrets for *replace*; return the names of the new secrets.

    *replace* are keys, or inbounds as ``host/inbound``. SecretsError if a secret was made before,
    but is missing here; nothing is written then.
    """
    with locked(fleet.folder / "inventory"):
        wanted = list(dict.fromkeys(_wanted(fleet)))
        again = places_of(fleet, replace)
        document = store.document(fleet)
        issued.must_match(fleet, document, again)
        known = issued.places(fleet) - again
        lost = [place for place in wanted if place in known and not get_secret(document, place)]
        if lost:
            raise SecretsError(_lost(lost))
        made = [place for place in wanted if place in again or not get_secret(document, place)]
        for place in made:
            put_secret(document, place, _MAKERS[place[-1]]())
        if made:
            store.write(fleet, tomlkit.dumps(document))
        issued.keep(fleet, issued.data_of(tomlkit.dumps(document)), again)
        return [secret_name(place) for place in made]


def forget(fleet: Fleet, names: Iterable[str]) -> list[str]:
    """Delete the secrets of *names*; return the names of the deleted secrets.

    *names* are keys, hosts, or inbounds as ``host/inbound``. UsageError if one has no secrets, or
    is still in the fleet; nothing is deleted then.
    """
    with locked(fleet.folder / "inventory"):
        document = store.document(fleet)
        held = places_in(document) | issued.places(fleet)
        gone = {place for name in names for place in _departed_places(fleet, held, name)}
        for place in gone:
            delete_secret(document, place)
        if gone & places_in(store.document(fleet)):
            store.write(fleet, tomlkit.dumps(document))
        issued.forget(fleet, {owner_of(place) for place in gone})
        return [secret_name(place) for place in sorted(gone)]


def departed(fleet: Fleet) -> list[str]:
    """Return the keys and inbounds with secrets that are no longer in the fleet."""
    here = _living(fleet)
    owners = {owner_of(place) for place in issued.places(fleet)}
    return sorted(owner for owner in owners if owner not in here)


def _departed_places(fleet: Fleet, held: set[SecretPlace], name: str) -> set[SecretPlace]:
    places = {place for place in held if name in (owner_of(place), place[1])}
    if not places:
        owners = {owner_of(place) for place in held}
        raise UsageError(with_suggestion(f"{name!r} has no secrets here", name, owners))
    if living := _living(fleet) & {owner_of(place) for place in places}:
        one = sorted(living)[0]
        raise UsageError(f"{one} is in the inventory: take it out first; nothing was deleted")
    return places


def _living(fleet: Fleet) -> set[str]:
    inbounds = (f"{host.name}/{inbound.name}" for host in fleet.hosts for inbound in host.inbounds)
    return {*(key.name for key in fleet.keys), *inbounds}


def _wanted(fleet: Fleet) -> Iterator[SecretPlace]:
    """Yield the places of all secrets that the fleet's inbounds and keys need."""
    for host in fleet.hosts:
        for inbound in host.inbounds:
            if inbound.security == "reality":
                yield ("hosts", host.name, inbound.name, "private_key")
                yield ("hosts", host.name, inbound.name, "short_ids")
            if inbound.protocol == "shadowsocks":
                yield ("hosts", host.name, inbound.name, "psk")
            for key in fleet.keys_on(host, inbound):
                yield ("keys", key.name, FIELD_OF[inbound.protocol])


def places_of(fleet: Fleet, names: Iterable[str]) -> set[SecretPlace]:
    """Return the places of the secrets of *names*: keys, or inbounds as ``host/inbound``.

    UsageError for a name that needs no secret in this fleet.
    """
    chosen, wanted = set(names), set(_wanted(fleet))
    owners = {owner_of(place) for place in wanted}
    for name in chosen - owners:
        message = f"{name!r} has no secrets to replace"
        raise UsageError(with_suggestion(message, name, owners))
    return {place for place in wanted if owner_of(place) in chosen}


def _lost(lost: list[SecretPlace]) -> str:
    names = listed([secret_name(place) for place in lost], most=5)
    return (
        f"issued.toml lists secrets that are not here: {names}. "
        "Making them again would cut people off: get secrets.toml from a colleague, or "
        "`ops secrets recover` reads them back from the servers. To replace one on purpose: "
        "`ops secrets fill --replace NAME`"
    )
