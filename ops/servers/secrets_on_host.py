"""Read the secrets from the config of a host. The host is not trusted, so they are checked."""

from typing import Any

from ops.config.render import users
from ops.errors import HostError
from ops.fleet.secrets.places import SecretPlace, secret_name
from ops.fleet.secrets.sound import is_sound
from ops.model import FIELD_OF, Fleet, Host
from ops.model.layout import CONFIG
from ops.model.untrusted import json_of, list_of, object_of


def secrets_in(fleet: Fleet, host: Host, text: str) -> list[tuple[SecretPlace, Any]]:
    """Return each secret in *text*, the config of *host*, with its place in secrets.toml.

    HostError if *text* is no config of this fleet, or if a value cannot be a secret.
    """
    try:
        inbounds = [object_of(one) for one in list_of(object_of(json_of(text))["inbounds"])]
        secrets = [*_of_users(fleet, host, text), *_of_inbounds(host, inbounds)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise HostError(host.name, f"{CONFIG} on it is no config of ours: {error}") from None
    for place, value in secrets:
        if not is_sound(place[-1], value):
            raise HostError(host.name, f"{CONFIG} on it holds no secret for {secret_name(place)}")
    return secrets


def _of_users(fleet: Fleet, host: Host, text: str) -> list[tuple[SecretPlace, Any]]:
    names = {key.name for key in fleet.keys}
    protocols = {inbound.name: inbound.protocol for inbound in host.inbounds}
    return [
        (("keys", user.name, FIELD_OF[protocols[user.inbound]]), user.id)
        for user in users(text)
        if user.name in names and user.inbound in protocols
    ]


def _of_inbounds(host: Host, inbounds: list[dict[str, Any]]) -> list[tuple[SecretPlace, Any]]:
    names = {inbound.name for inbound in host.inbounds}
    secrets: list[tuple[SecretPlace, Any]] = []
    for inbound in inbounds:
        if inbound.get("tag") not in names:
            continue
        place = ("hosts", host.name, inbound["tag"])
        reality = inbound.get("streamSettings", {}).get("realitySettings", {})
        if reality:
            secrets.append(((*place, "private_key"), reality["privateKey"]))
            secrets.append(((*place, "short_ids"), reality["shortIds"]))
        if inbound["protocol"] == "shadowsocks":
            secrets.append(((*place, "psk"), inbound["settings"]["password"]))
    return secrets
