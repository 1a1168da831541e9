"""Move the secrets of a renamed key, host or inbound to its new name."""

from collections.abc import Mapping
from typing import Any

import tomlkit

from ops.errors import SecretsError, UsageError
from ops.files import locked
from ops.fleet.secrets import issued, store
from ops.fleet.secrets.places import (
    SecretPlace,
    delete_secret,
    get_secret,
    places_in,
    put_secret,
    secret_name,
)
from ops.model import Fleet
from ops.model.spelling import with_suggestion


def rename(fleet: Fleet, old: str, new: str, *, replace: bool = False) -> list[str]:
    """Move the secrets of *old* to *new*: two keys, two hosts, or two ``host/inbound``.

    Return the moved secrets by name. UsageError unless *old* left the fleet and *new* is in it.
    SecretsError if *new* has other secrets, unless they are to be replaced.
    """
    with locked(fleet.folder / "inventory"):
        document = store.document(fleet)
        known = places_in(document) | issued.places(fleet)
        moves = _moves(fleet, known, tuple(old.split("/")), tuple(new.split("/")))
        if not replace:
            _must_be_free(fleet, document, moves, f"{old} {new}")
        issued.rename(fleet, {place[:-1]: moved[:-1] for place, moved in moves.items()})
        for place, moved in moves.items():
            if value := get_secret(document, place):
                put_secret(document, moved, value)
                delete_secret(document, place)
        if store.path(fleet):
            store.write(fleet, tomlkit.dumps(document))
        return [secret_name(place) for place in sorted(moves.values())]


def _moves(
    fleet: Fleet, known: set[SecretPlace], old: tuple[str, ...], new: tuple[str, ...]
) -> dict[SecretPlace, SecretPlace]:
    """Return the new place of each secret in *known* that belongs to *old*."""
    here, depth = _living(fleet), 1 + len(old)
    kinds = [kind for kind in ("keys", "hosts") if (kind, *new) in here and len(old) == len(new)]
    moves = {
        place: (kind, *new, *place[depth:])
        for kind in kinds
        for place in known
        if place[:depth] == (kind, *old) and (kind, *old) not in here
    }
    if not moves:
        raise UsageError(_nothing_to_move(known, here, "/".join(old), "/".join(new)))
    return moves


def _nothing_to_move(known: set[SecretPlace], here: set[SecretPlace], old: str, new: str) -> str:
    owners = {"/".join(place[1:depth]) for place in known for depth in range(2, len(place))}
    living = {"/".join(place[1:]) for place in here}
    if old not in owners:
        return with_suggestion(f"{old!r} has no secrets here", old, owners - living)
    if old in living:
        return f"{old} is in the inventory: rename it there first; nothing was changed"
    if new not in living:
        return f"{new!r} is not in the inventory: rename {old} there first; nothing was changed"
    return f"{old} and {new} are not two keys, two hosts or two inbounds; nothing was changed"


def _living(fleet: Fleet) -> set[SecretPlace]:
    """Return the keys, hosts and inbounds of *fleet*, as the beginnings of places."""
    inbounds = {("hosts", host.name, i.name) for host in fleet.hosts for i in host.inbounds}
    keys = {("keys", key.name) for key in fleet.keys}
    return inbounds | keys | {("hosts", host.name) for host in fleet.hosts}


def _must_be_free(
    fleet: Fleet, document: Any, moves: Mapping[SecretPlace, SecretPlace], names: str
) -> None:
    """Raise SecretsError if a move would overwrite another secret."""
    made = issued.places(fleet)
    for place, moved in moves.items():
        secret, other = get_secret(document, place), get_secret(document, moved)
        if (other and other != secret) or (moved in made and place in made):
            raise SecretsError(
                f"{secret_name(moved)} is another secret already, perhaps from `ops secrets fill`. "
                f"If no server and no link has it: `ops secrets rename --replace {names}`. "
                "Nothing was changed"
            )
