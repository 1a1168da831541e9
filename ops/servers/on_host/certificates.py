"""Copy certificates of the host for the core. The timer copies renewed ones again."""

from __future__ import annotations

import ssl

from ops.model import layout
from ops.servers.on_host import files, places
from ops.servers.on_host.failure import RolloutError

Sources = dict[str, list[str]]
"""By inbound: the paths of its certificate chain and its private key."""


def copy(sources: Sources) -> bool:
    """Copy the files of *sources*, and remove all other copies. Return whether a copy changed.

    RolloutError if a file cannot be read, or if a pair of files does not match.
    """
    wanted: dict[str, bytes] = {}
    for inbound, (chain, key) in sorted(sources.items()):
        _check(inbound, chain, key)
        wanted[f"{layout.CERTIFICATES}/{inbound}.crt"] = _read(inbound, chain)
        wanted[f"{layout.CERTIFICATES}/{inbound}.key"] = _read(inbound, key)
    files.folder(layout.CERTIFICATES, 0o750, layout.USER)
    changed = False
    for path, content in wanted.items():
        if not files.at(path).exists() or files.at(path).read_bytes() != content:
            files.write(path, content, 0o640, layout.USER)
            changed = True
    for copied in files.at(layout.CERTIFICATES).iterdir():
        if f"{layout.CERTIFICATES}/{copied.name}" not in wanted:
            copied.unlink()
    return changed


def sources() -> Sources:
    """Return the sources of the set on this host."""
    return files.read_json(places.SOURCES) or {}


def _read(inbound: str, path: str) -> bytes:
    try:
        return files.at(path).read_bytes()
    except OSError as error:
        raise RolloutError(
            f"inbound {inbound}: cannot read {path} ({error.strerror}); put the certificate there, "
            "or correct `certificate` and `certificate_key` in inventory/hosts.toml"
        ) from None


def _check(inbound: str, chain: str, key: str) -> None:
    """Raise RolloutError if the core cannot use this pair of files."""
    _read(inbound, chain)
    _read(inbound, key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            files.at(chain), files.at(key), password=lambda: ""
        )
    except ssl.SSLError as error:
        why = error.reason or "not PEM"
        raise RolloutError(
            f"inbound {inbound}: {chain} and {key} are no certificate and its private key ({why})"
        ) from None
