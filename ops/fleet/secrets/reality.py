"""REALITY's key pairs: X25519, in base64url without padding."""

import base64
import re

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey


def new_private_key() -> str:
    """Return a new private key in Xray's form."""
    return _written(X25519PrivateKey.generate().private_bytes_raw())


def is_private_key(text: str) -> bool:
    """Return whether *text* is a private key in Xray's form."""
    return bool(re.fullmatch(r"[A-Za-z0-9_-]{43}", text))


def public_key(private_key: str) -> str:
    """Return the public half of *private_key*, in the form of ``pbk`` in links."""
    raw = base64.urlsafe_b64decode(private_key + "=")
    return _written(X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw())


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
