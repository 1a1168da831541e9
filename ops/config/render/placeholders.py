"""Make placeholders for secrets, to validate a fleet on a machine without the real secrets."""

from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from ops.model import Fleet, InboundSecrets, KeySecrets, Secrets


def placeholders(fleet: Fleet) -> Secrets:
    """Return well-formed placeholders for all keys and inbounds of *fleet*; the same each time.

    Everybody can compute them. The REALITY private keys do not match the fleet's public keys.
    """
    return Secrets(
        keys={key.name: _key(key.name) for key in fleet.keys},
        inbounds={
            (host.name, inbound.name): _inbound(f"{host.name}/{inbound.name}")
            for host in fleet.hosts
            for inbound in host.inbounds
        },
    )


def _key(name: str) -> KeySecrets:
    return KeySecrets(
        uuid=str(UUID(bytes=_bytes("uuid", name)[:16], version=4)),
        password=_bytes("password", name).hex(),
        psk=b64encode(_bytes("psk", name)).decode(),
    )


def _inbound(place: str) -> InboundSecrets:
    return InboundSecrets(
        private_key=urlsafe_b64encode(_bytes("private key", place)).rstrip(b"=").decode(),
        short_ids=(_bytes("short id", place).hex()[:16],),
        psk=b64encode(_bytes("inbound psk", place)).decode(),
    )


def _bytes(use: str, name: str) -> bytes:
    return sha256(f"placeholder/{use}/{name}".encode()).digest()
