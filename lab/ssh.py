"""The ssh keys of a lab, and its ssh command."""

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An ed25519 key pair in the format of OpenSSH."""

    private: bytes
    public: str
    """``ssh-ed25519 AAAA...``"""


def make_key_pair() -> KeyPair:
    """Return a new key pair."""
    key = Ed25519PrivateKey.generate()
    return KeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
    )


def ensure_login_key(path: Path) -> Path:
    """Return *path*, the private login key. Create it and its ``.pub`` if they are missing."""
    if not path.exists():
        pair = make_key_pair()
        path.with_suffix(".pub").write_text(pair.public + "\n")
        path.touch(mode=0o600)
        path.write_bytes(pair.private)
    return path


def fingerprint(public: str) -> str:
    """Return the SHA-256 fingerprint of a public ssh key, as ssh prints it."""
    digest = hashlib.sha256(b64decode(public.split()[1])).digest()
    return f"SHA256:{b64encode(digest).decode().rstrip('=')}"


def ssh_command(user: str, address: str, *, key: Path, known_hosts: Path) -> list[str]:
    """Return the ssh command that logs in as *user*, without reading any ssh settings."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "IdentitiesOnly": "yes",
        # Debian's first choice, sntrup761, costs 70 ms of CPU for each of a thousand logins.
        "KexAlgorithms": "curve25519-sha256",
        "LogLevel": "ERROR",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known_hosts),
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "none", "-i", str(key), *words, f"{user}@{address}"]
