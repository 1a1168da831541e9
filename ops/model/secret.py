"""Secrets. Their ``repr`` is empty, so that no traceback shows a secret."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

FIELD_OF = {"vless": "uuid", "trojan": "password", "shadowsocks": "psk"}
"""The field of a key's secrets that each protocol uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySecrets:
    """The secrets of a key, one for each protocol; empty if it was not made."""

    uuid: str = field(default="", repr=False)
    """The secret for VLESS."""
    password: str = field(default="", repr=False)
    """The secret for Trojan."""
    psk: str = field(default="", repr=False)
    """Shadowsocks 2022: 32 random bytes, base64; a 128-bit method uses the first 16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSecrets:
    """The secrets of one inbound on one host."""

    private_key: str = field(default="", repr=False)
    """REALITY: X25519, 32 raw bytes as unpadded base64url."""
    short_ids: tuple[str, ...] = field(default=(), repr=False)
    """REALITY: 2, 4, ... 16 hexadecimal digits each. Links use the first."""
    psk: str = field(default="", repr=False)
    """Shadowsocks 2022: the server's own secret, in the form of :attr:`KeySecrets.psk`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """All secrets of a fleet: by key, and by (host, inbound)."""

    keys: Mapping[str, KeySecrets] = field(default_factory=dict, repr=False)
    inbounds: Mapping[tuple[str, str], InboundSecrets] = field(default_factory=dict, repr=False)


def psk_for(method: str, psk: str) -> str:
    """Return the part of a stored *psk* that the Shadowsocks *method* uses, in base64.

    >>> psk_for("2022-blake3-aes-128-gcm", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    'AAECAwQFBgcICQoLDA0ODw=='
    """
    return b64encode(b64decode(psk)[:16]).decode() if "-128-" in method else psk
