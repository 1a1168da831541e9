"""Rebuild secrets.toml from the configs on the servers."""

import base64
import secrets as random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from ops.counting import reading
from ops.errors import HostError, SecretsError, UsageError
from ops.files import locked
from ops.fleet.secrets import issued, store
from ops.fleet.secrets.fill import places_of
from ops.fleet.secrets.places import SecretPlace, get_secret, owner_of, put_secret, secret_name
from ops.fleet.secrets.reality import is_private_key, public_key
from ops.model import Fleet, Host
from ops.model.layout import CONFIG
from ops.servers.secrets_on_host import secrets_in

Found = dict[SecretPlace, dict[str, Any]]
"""By place, then by host: the secret that the host's config has there."""


@dataclass
class Recovered:
    """The result of a recovery."""

    recovered: list[str] = field(default_factory=list)
    """The recovered secrets, such as ``keys.alice.id``."""
    conflicts: list[str] = field(default_factory=list)
    """The secrets that were not recovered because their values differ, in words."""
    missing: list[str] = field(default_factory=list)
    """The secrets to replace that no read server has."""
    failures: Sequence[HostError] = ()
    aside: Path | None = None
    """The new path of an encrypted file that could not be opened."""


def recover(
    fleet: Fleet,
    hosts: Sequence[Host],
    *,
    deadline: float,
    afresh: bool = False,
    replace: Collection[str] = (),
) -> Recovered:
    """Read the configs of *hosts*, and add the secrets that secrets.toml lacks.

    Existing secrets stay, except those of the keys and inbounds in *replace*. If two servers have
    different values, the secret is a conflict. A server without a config of this fleet is a
    failure. *deadline* is in seconds for all hosts.

    *afresh* starts a new file and renames the encrypted one that cannot be opened.
    """
    again = places_of(fleet, replace)
    _document(fleet, again, afresh=afresh)  # report an unusable file before reading any server
    values_by_place, failures = _read(fleet, hosts, deadline)
    result = Recovered(failures=failures)
    with locked(fleet.folder / "inventory"):
        document = _document(fleet, again, afresh=afresh)
        taken = _take(fleet, document, values_by_place, again, result)
        result.missing = [secret_name(place) for place in sorted(again - taken)]
        if result.recovered:
            result.aside = store.set_aside(fleet) if afresh else None
            text = tomlkit.dumps(document)
            store.write(fleet, text)
            issued.keep(fleet, issued.data_of(text), again)
    return result


def _take(
    fleet: Fleet, document: Any, found: Found, again: Collection[SecretPlace], result: Recovered
) -> set[SecretPlace]:
    """Put into *document* the secrets in *found* that it lacks, and those of *again*.

    Return the places where *document* has the secret of the servers now.
    """
    taken = set()
    for place, by_host in found.items():
        values = _distinct(list(by_host.values()))
        held = get_secret(document, place)
        if len(values) > 1:
            result.conflicts.append(f"{secret_name(place)}: {', '.join(by_host)} differ")
        elif place not in again and _is_older(fleet, place, values[0]):
            result.conflicts.append(_older(place))
        elif held and _distinct([held, values[0]]) == [held]:
            taken.add(place)
        elif not held or place in again:
            put_secret(document, place, _whole(place, values[0]))
            result.recovered.append(secret_name(place))
            taken.add(place)
    return taken


def _older(place: SecretPlace) -> str:
    owner = owner_of(place)
    return (
        f"{secret_name(place)}: issued.toml has a newer one than the host "
        f"(`ops secrets recover --replace {owner}` takes the one of the host)"
    )


def _read(fleet: Fleet, hosts: Sequence[Host], deadline: float) -> tuple[Found, list[HostError]]:
    """Return the values of each secret, by place and host, and the errors of other hosts."""
    answers = reading.run_on_hosts(fleet, hosts, f"cat {CONFIG}", deadline=deadline)
    failures = list(answers.failures)
    values: Found = {}
    for host in hosts:
        if host.name in answers.results:
            try:
                secrets = secrets_in(fleet, host, answers.results[host.name])
            except HostError as error:
                failures.append(error)
                continue
            for place, value in secrets:
                values.setdefault(place, {})[host.name] = value
    return values, failures


def _document(
    fleet: Fleet, again: Collection[SecretPlace], *, afresh: bool
) -> tomlkit.TOMLDocument:
    """Return the content of secrets.toml.

    With *afresh* it is empty if the file cannot be opened, and UsageError if it can.
    """
    try:
        document = store.document(fleet)
        issued.must_match(fleet, document, again)
    except SecretsError as error:
        if store.path(fleet) != store.encrypted(fleet) or store.is_open(fleet):
            raise
        if not afresh:
            raise SecretsError(f"{error}. {_LOST}") from None
        return tomlkit.document()
    if afresh:
        raise UsageError("the secrets here can be opened: leave --afresh out")
    return document


_LOST = "If nobody can open it any more, `ops secrets recover --afresh` begins without it"


def _is_older(fleet: Fleet, place: SecretPlace, value: Any) -> bool:
    """Return whether *value* is a private key, and issued.toml has a newer one."""
    known = fleet.public_keys.get((place[1], place[2])) if place[-1] == "private_key" else ""
    return bool(known) and is_private_key(str(value)) and public_key(value) != known


def _distinct(values: list[Any]) -> list[Any]:
    """Return the different ones of *values*.

    A 128-bit PSK is the first half of the 256-bit one, so both are the same secret.
    """
    distinct: list[Any] = []
    for value in sorted(values, key=len, reverse=True):
        if not any(_is_same(value, longer) for longer in distinct):
            distinct.append(value)
    return distinct


def _is_same(value: Any, longer: Any) -> bool:
    if value == longer:
        return True
    if not (isinstance(value, str) and len(value) == 24 and len(longer) == 44):
        return False
    return base64.b64decode(longer)[:16] == base64.b64decode(value)


def _whole(place: SecretPlace, value: Any) -> Any:
    """Return *value*, and complete a 128-bit PSK to 256 bits with any second half.

    secrets.toml has 256-bit PSKs, and a 128-bit method uses only the first half.
    """
    if place[-1] == "psk" and len(raw := base64.b64decode(value)) == 16:
        return base64.b64encode(raw + random.token_bytes(16)).decode()
    return value
