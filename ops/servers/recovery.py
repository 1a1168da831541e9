"""Rebuild the secrets' file from what the servers run."""

import base64
import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from ops.counting import reading
from ops.errors import HostError, SecretsError, UsageError
from ops.files import locked
from ops.fleet.secrets import issued, store
from ops.fleet.secrets.fill import Place, get, put, shown
from ops.fleet.secrets.reality import is_private_key, public_key
from ops.model import Fleet, Host
from ops.model.layout import CONFIG
from ops.servers.secrets_on_host import secrets_in


@dataclass
class Recovered:
    """What came back, and what did not."""

    recovered: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    failures: Sequence[HostError] = ()
    aside: Path | None = None
    """Where the file lies now that could not be opened."""


def recover(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float, afresh: bool = False
) -> Recovered:
    """Read the configs of *hosts* and put into the secrets' file what it lacks.

    What the file has stays. Where two servers disagree about a key nothing is taken. A server
    without a config of ours is a failure. *afresh*: begin without an encrypted file that nobody
    here can open, and set it aside.
    """
    _document(fleet, afresh=afresh)  # what is in the way is told before a server is asked
    found, failures = _asked(fleet, hosts, deadline)
    result = Recovered(failures=failures)
    with locked(fleet.folder / "inventory"):
        document = _document(fleet, afresh=afresh)
        for place, said in found.items():
            values = _longest(list(said.values()))
            if len(values) > 1:
                result.conflicts.append(f"{shown(place)}: {', '.join(said)} differ")
            elif _is_older(fleet, place, values[0]):
                result.conflicts.append(
                    f"{shown(place)}: issued.toml has a newer one than the host"
                )
            elif not get(document, place):
                put(document, place, _whole(place, values[0]))
                result.recovered.append(shown(place))
        if result.recovered:
            result.aside = store.set_aside(fleet) if afresh else None
            text = tomlkit.dumps(document)
            store.write(fleet, text)
            issued.keep(fleet, issued.data_of(text))
    return result


def _asked(
    fleet: Fleet, hosts: Sequence[Host], deadline: float
) -> tuple[dict[Place, dict[str, Any]], list[HostError]]:
    """Return what each of *hosts* says of each secret, by host, and which did not tell."""
    answers = reading.run_on_hosts(fleet, hosts, f"cat {CONFIG}", deadline=deadline)
    failures = list(answers.failures)
    found: dict[Place, dict[str, Any]] = {}
    for host in hosts:
        if host.name in answers.results:
            try:
                held = secrets_in(fleet, host, answers.results[host.name])
            except HostError as error:
                failures.append(error)
                continue
            for place, value in held:
                found.setdefault(place, {})[host.name] = value
    return found, failures


def _document(fleet: Fleet, *, afresh: bool) -> tomlkit.TOMLDocument:
    """Return what the secrets' file holds; *afresh*: nothing, if it cannot be opened."""
    try:
        document = store.document(fleet)
        issued.must_match(fleet, document)
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


def _is_older(fleet: Fleet, place: Place, value: Any) -> bool:
    """Return whether *value* is a private key that was replaced since."""
    known = fleet.public_keys.get((place[1], place[2])) if place[-1] == "private_key" else ""
    return bool(known) and is_private_key(str(value)) and public_key(value) != known


def _longest(values: list[Any]) -> list[Any]:
    """Return the different ones of *values*; half a psk is no other one than the whole."""
    distinct: list[Any] = []
    for value in sorted(values, key=len, reverse=True):
        if not any(_same(value, longer) for longer in distinct):
            distinct.append(value)
    return distinct


def _same(value: Any, longer: Any) -> bool:
    if value == longer:
        return True
    if not (isinstance(value, str) and len(value) == 24 and len(longer) == 44):
        return False
    return base64.b64decode(longer)[:16] == base64.b64decode(value)


def _whole(place: Place, value: Any) -> Any:
    """A 128-bit method uses half a psk: any other half makes it whole again."""
    if place[-1] == "psk" and len(raw := base64.b64decode(value)) == 16:
        return base64.b64encode(raw + random.token_bytes(16)).decode()
    return value
