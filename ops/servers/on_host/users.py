"""The users of a config, and the config without its users."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Users = dict[str, dict[str, str]]
"""By inbound and user name: the secret that the core checks, or its fingerprint."""

LISTS = ("clients", "users")
"""The old and the new name of the list of users in the settings of an inbound."""
PROOFS = ("id", "password", "key")
"""The fields with a user's secret: of VLESS, of Trojan, and of Shadowsocks in the API."""


def of_config(config: dict[str, Any]) -> Users:
    """Return the users of *config*."""
    return {
        inbound["tag"]: {entry["email"]: proof(entry) for entry in entries(inbound)}
        for inbound in config.get("inbounds", [])
        if has_users(inbound)
    }


def has_users(inbound: dict[str, Any]) -> bool:
    """Return whether *inbound* has a list of users."""
    return any(name in inbound.get("settings", {}) for name in LISTS)


def entries(inbound: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the list of users of *inbound*; empty if it has none."""
    settings = inbound.get("settings", {})
    users: list[dict[str, Any]] = next((settings[name] for name in LISTS if name in settings), [])
    return users


def proof(entry: dict[str, Any]) -> str:
    """Return the secret and the flow of a user, from a config or from the API, to compare them.

    >>> proof({"id": "5783A3E7", "flow": "xtls-rprx-vision", "email": "alice"})
    '5783a3e7 xtls-rprx-vision'
    """
    secret = next((str(entry[name]) for name in PROOFS if name in entry), "")
    secret = secret.lower() if "id" in entry else secret
    return f"{secret} {entry.get('flow', '')}".strip()


def only(inbound: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return *inbound* with only the users in *names*."""
    wanted, settings = set(names), inbound["settings"]
    lists = {name: settings[name] for name in LISTS if name in settings}
    fewer = {name: [e for e in users if e["email"] in wanted] for name, users in lists.items()}
    return {**inbound, "settings": {**settings, **fewer}}


def frame(config: dict[str, Any]) -> str:
    """Return the fingerprint of *config* without its users: a change of it needs a restart."""
    bare = {
        **config,
        "inbounds": [only(i, []) if has_users(i) else i for i in config.get("inbounds", [])],
    }
    return hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()


def fingerprint(secret: str) -> str:
    """Return eight hex digits that differ for different secrets but do not reveal them."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def fingerprints(users: Users) -> Users:
    """Return *users* with fingerprints instead of secrets."""
    return {
        tag: {name: fingerprint(secret) for name, secret in sorted(named.items())}
        for tag, named in sorted(users.items())
    }


def inbound_secrets(config: dict[str, Any]) -> dict[str, list[str]]:
    """Return by inbound the fingerprints of its own secrets, which its links contain."""
    fingerprints = {}
    for inbound in config.get("inbounds", []):
        reality = inbound.get("streamSettings", {}).get("realitySettings", {})
        server = inbound.get("settings", {}).get("password", "")
        secrets = [reality.get("privateKey", ""), server, *reality.get("shortIds", [])]
        fingerprints[inbound["tag"]] = sorted(fingerprint(one) for one in secrets if one)
    return {tag: of_inbound for tag, of_inbound in fingerprints.items() if of_inbound}
