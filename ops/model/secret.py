"""What must not be seen. No secret is in any ``repr``, and so in no traceback."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

FIELD_OF = {"vless": "uuid", "trojan": "password", "shadowsocks": "psk"}
"""Which of a key's secrets each protocol asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySecrets:
    """What proves a key to the core; one form per protocol, empty where none was made."""

    uuid: str = field(default="", repr=False)
    """VLESS."""
    password: str = field(default="", repr=False)
    """Trojan."""
    psk: str = field(default="", repr=False)
    """Shadowsocks 2022: 32 random bytes, base64; a 128-bit method uses the first 16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSecrets:
    """What one inbound of one host keeps to itself."""

    private_key: str = field(default="", repr=False)
    """REALITY: X25519, 32 raw bytes as unpadded base64url."""
    short_ids: tuple[str, ...] = field(default=(), repr=False)
    """REALITY: even-length hex, at most 16 digits each; links use the first."""
    psk: str = field(default="", repr=False)
    """Shadowsocks 2022: the server's own, in the form of :attr:`KeySecrets.psk`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The secrets of a fleet: by key, and by (host, inbound)."""

    keys: Mapping[str, KeySecrets] = field(default_factory=dict, repr=False)
    inbounds: Mapping[tuple[str, str], InboundSecrets] = field(default_factory=dict, repr=False)


def psk_for(method: str, psk: str) -> str:
    """Return the part of a stored *psk* that Shadowsocks' *method* uses, base64.

    >>> psk_for("2022-blake3-aes-128-gcm", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    'AAECAwQFBgcICQoLDA0ODw=='
    """
    return b64encode(b64decode(psk)[:16]).decode() if "-128-" in method else psk
