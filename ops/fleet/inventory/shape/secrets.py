"""The secrets in secrets.toml, and the list of them in issued.toml."""

from typing import Literal

from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import PublicKey, Secret


class KeySecretsTable(Table):
    """``[keys.NAME]`` in secrets.toml: the secrets of a key, one for each protocol."""

    uuid: Secret = ""
    """``vless``: a UUID.

    Example: uuid = "6f0a0c1e-8f0e-4b0e-9d55-0c5c1f7a2b11"
    """
    password: Secret = ""
    """``trojan``: a password of at least 16 characters.

    Example: password = "an-example-that-nobody-uses"
    """
    psk: Secret = ""
    """``shadowsocks``: 32 bytes in base64. A 128-bit method uses the first 16 bytes.

    Example: psk = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    """


class InboundSecretsTable(Table):
    """``[hosts.HOST.INBOUND]`` in secrets.toml: the secrets of one inbound on one host."""

    private_key: Secret = ""
    """``reality``: the private X25519 key, in base64url without padding.

    Example: private_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    """
    short_ids: list[Secret] = []
    """``reality``: the short IDs, each of 2, 4, ... 16 hexadecimal digits. Links use the first one.

    Example: short_ids = ["6ba85179e30d4fc2"]
    """
    psk: Secret = ""
    """``shadowsocks``: the server's own secret, 32 bytes in base64.

    Example: psk = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    """


class IssuedInbound(Table):
    """``[hosts.HOST.INBOUND]`` in issued.toml: the secrets of one inbound on one host."""

    made: list[Literal["private_key", "short_ids", "psk"]]
    """The secrets that were made for the inbound.

    Example: made = ["private_key", "short_ids"]
    """
    public_key: PublicKey | None = None
    """``reality``: the public half of the private key. Links carry it as ``pbk``.

    Example: public_key = "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"
    """
