"""The users in a config: who they are, and what is left when they are taken out."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Users = dict[str, dict[str, str]]
"""By inbound, then by name: what proves the user to the core. A secret."""

LISTS = ("clients", "users")
"""The old and the new name of the list, in an inbound's settings."""
PROOFS = ("id", "password", "key")
"""What a user's proof is called: VLESS; Trojan; Shadowsocks, as the core's API names it."""


def of_config(config: dict[str, Any]) -> Users:
    """Return the users of *config*."""
    return {
        inbound["tag"]: {entry["email"]: proof(entry) for entry in entries(inbound)}
        for inbound in config.get("inbounds", [])
        if has_users(inbound)
    }


def has_users(inbound: dict[str, Any]) -> bool:
    """Return whether *inbound* knows its users one by one."""
    return any(name in inbound.get("settings", {}) for name in LISTS)


def entries(inbound: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the users of *inbound* as the config writes them."""
    settings = inbound.get("settings", {})
    found: list[dict[str, Any]] = next((settings[name] for name in LISTS if name in settings), [])
    return found


def proof(entry: dict[str, Any]) -> str:
    """Return what an entry of a config, or an account of the API, must agree in.

    >>> proof({"id": "5783A3E7", "flow": "xtls-rprx-vision", "email": "alice"})
    '5783a3e7 xtls-rprx-vision'
    """
    secret = next((str(entry[name]) for name in PROOFS if name in entry), "")
    secret = secret.lower() if "id" in entry else secret
    return f"{secret} {entry.get('flow', '')}".strip()


def only(inbound: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return *inbound* with none of its users but those called *names*."""
    kept, settings = set(names), inbound["settings"]
    lists = {name: settings[name] for name in LISTS if name in settings}
    fewer = {name: [e for e in held if e["email"] in kept] for name, held in lists.items()}
    return {**inbound, "settings": {**settings, **fewer}}


def frame(config: dict[str, Any]) -> str:
    """Return the fingerprint of all of *config* that a running core cannot take in."""
    bare = {
        **config,
        "inbounds": [only(i, []) if has_users(i) else i for i in config.get("inbounds", [])],
    }
    return hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()


def fingerprint(secret: str) -> str:
    """Return eight hex digits that tell two secrets apart and give neither away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def fingerprints(users: Users) -> Users:
    """Return *users* with fingerprints instead of proofs."""
    return {
        tag: {name: fingerprint(secret) for name, secret in sorted(named.items())}
        for tag, named in sorted(users.items())
    }


def inbound_secrets(config: dict[str, Any]) -> dict[str, list[str]]:
    """Return fingerprints of what links to an inbound hold besides the key's own secret."""
    found = {}
    for inbound in config.get("inbounds", []):
        reality = inbound.get("streamSettings", {}).get("realitySettings", {})
        server = inbound.get("settings", {}).get("password", "")
        held = [reality.get("privateKey", ""), server, *reality.get("shortIds", [])]
        found[inbound["tag"]] = sorted(fingerprint(secret) for secret in held if secret)
    return {tag: held for tag, held in found.items() if held}
