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
from ops.inventory.spelling import did_you_mean
from ops.model import FIELD_OF, Fleet
from ops.secrets import issued, store
from ops.secrets.reality import new_private_key

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
        again = _chosen(wanted, replace)
        document = store.document(fleet)
        known = issued.places(fleet) - again
        lost = [place for place in wanted if place in known and not get(document, place)]
        if lost:
            raise SecretsError(_lost(lost))
        made = [place for place in wanted if place in again or not get(document, place)]
        for place in made:
            put(document, place, _MAKERS[place[-1]]())
        if made:
            store.write(fleet, tomlkit.dumps(document))
        issued.keep(fleet, issued.data_of(tomlkit.dumps(document)))
        return [shown(place) for place in made]


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


def _chosen(wanted: list[Place], replace: Iterable[str]) -> set[Place]:
    owners = {"/".join(place[1:-1]) for place in wanted}
    for name in replace:
        if name not in owners:
            raise UsageError(f"{name!r} has no secrets to replace; {did_you_mean(name, owners)}")
    return {place for place in wanted if "/".join(place[1:-1]) in set(replace)}


def _lost(lost: list[Place]) -> str:
    names = ", ".join(shown(place) for place in lost[:5])
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    return (
        f"issued.toml says that these were made, and they are not here: {names}{more}. "
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
