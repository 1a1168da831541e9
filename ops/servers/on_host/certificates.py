"""Copies of the host's certificates that the core may read; a renewal reaches them by itself."""

from __future__ import annotations

import ssl

from ops.model import layout
from ops.servers.on_host import files, places
from ops.servers.on_host.failure import RolloutError

Sources = dict[str, list[str]]
"""By inbound: where its certificate chain and its private key lie."""


def copy(sources: Sources) -> bool:
    """Copy what *sources* name and remove all other copies; return whether anything changed."""
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
    for path_there in files.at(layout.CERTIFICATES).iterdir():
        if f"{layout.CERTIFICATES}/{path_there.name}" not in wanted:
            path_there.unlink()
    return changed


def sources() -> Sources:
    """Return which certificates the set in place wants copied."""
    return files.read_json(places.SOURCES) or {}


def _read(inbound: str, path: str) -> bytes:
    try:
        return files.at(path).read_bytes()
    except OSError as error:
        raise RolloutError(
            f"inbound {inbound}: cannot read {path} ({error.strerror}); put the certificate there, "
            "or mend `certificate` and `certificate_key` in inventory/hosts.toml"
        ) from None


def _check(inbound: str, chain: str, key: str) -> None:
    """Refuse a pair that the core could not use."""
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
