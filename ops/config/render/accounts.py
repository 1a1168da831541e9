"""Write the users of an inbound in the form that its protocol has in the core's config."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

from ops.model import FIELD_OF, Fleet, Host, Inbound, Key, KeySecrets, Secrets, psk_for
from ops.model.layout import NOBODY
from ops.model.phrases import listed

_WORDS = {"uuid": "UUID", "password": "password", "psk": "PSK"}


def accounts(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> list[dict[str, Any]]:
    """Return the users of *inbound*: one for each key that opens it, in the order of keys.toml.

    A Shadowsocks inbound without keys gets one blocked user, so that it starts as multi-user.

    Raises:
        KeyError: *secrets* has no entry for a key or the inbound.
    """
    write = {"vless": _vless, "trojan": _trojan, "shadowsocks": _shadowsocks}[inbound.protocol]
    keys = fleet.keys_on(host, inbound)
    if not keys and inbound.protocol == "shadowsocks":
        return [_nobody(inbound.method, secrets.inbounds[host.name, inbound.name].psk)]
    return [write(inbound, key, secrets.keys[key.name]) for key in keys]


def missing(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> list[str]:
    """Return the names of the secrets that *inbound* needs and *secrets* lacks, for messages."""
    field = FIELD_OF[inbound.protocol]
    keys = fleet.keys_on(host, inbound)
    without = [k.name for k in keys if not getattr(secrets.keys.get(k.name), field, "")]
    own = secrets.inbounds.get((host.name, inbound.name))
    wanted = {
        "REALITY private key": inbound.security == "reality" and not (own and own.private_key),
        "REALITY short id": inbound.security == "reality" and not (own and own.short_ids),
        "PSK": inbound.protocol == "shadowsocks" and not (own and own.psk),
    }
    lacks = [f"the {what} of {host.name}/{inbound.name}" for what, is_so in wanted.items() if is_so]
    return lacks + ([f"the {_WORDS[field]} of {listed(without, most=20)}"] if without else [])


def _vless(inbound: Inbound, key: Key, secret: KeySecrets) -> dict[str, Any]:
    user: dict[str, Any] = {"id": secret.uuid, "email": key.name, "level": 0}
    return user | {"flow": inbound.flow} if inbound.flow else user


def _trojan(_: Inbound, key: Key, secret: KeySecrets) -> dict[str, Any]:
    return {"password": secret.password, "email": key.name, "level": 0}


def _shadowsocks(inbound: Inbound, key: Key, secret: KeySecrets) -> dict[str, Any]:
    return {"password": psk_for(inbound.method, secret.psk), "email": key.name, "level": 0}


def _nobody(method: str, psk: str) -> dict[str, Any]:
    """Return the user of a Shadowsocks inbound without keys; with it, the inbound is multi-user.

    The API can add users to a multi-user inbound only (docs/xray.md, users by the API). People
    with an old link can compute this user's PSK, so a routing rule blocks the user.
    """
    made = b64encode(sha256(f"{NOBODY}/{psk_for(method, psk)}".encode()).digest()).decode()
    return {"password": psk_for(method, made), "email": NOBODY, "level": 0}
