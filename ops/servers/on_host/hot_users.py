"""Change the users of the running core, without dropping any connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ops.servers.on_host import files, users
from ops.servers.on_host.core import LONG, LocalApi

ADDED = "/run/xray-ops.users.json"
"""The file with the users to add. It is deleted at once."""
AT_ONCE = 500
"""The most users in one call, because the core's program silently ends a call after a time."""
Piece = tuple[dict[str, Any], list[str]]
"""An inbound, and the names of some of its users."""


def reconcile(config: dict[str, Any]) -> None:
    """Remove and add users until the core has the users of *config*.

    The core's program exits with 0 even after a failure, so the caller must check the outcome.
    Users are added from the rendered inbound, because an account of another protocol makes the
    core panic.
    """
    api = LocalApi(config)
    running = api.users()
    added: list[Piece] = []
    for inbound in config["inbounds"]:
        wanted = users.of_config({"inbounds": [inbound]}).get(inbound["tag"])
        if wanted is not None:
            has = running.get(inbound["tag"], {})
            _remove(api, inbound["tag"], [n for n in has if has[n] != wanted.get(n)])
            new = [name for name in wanted if has.get(name) != wanted[name]]
            added += [(inbound, piece) for piece in _pieces(new)]
    for call in _calls(added):
        _add(api, [users.only(inbound, names) for inbound, names in call])


def _remove(api: LocalApi, tag: str, names: list[str]) -> None:
    for piece in _pieces(names):
        api.call("rmu", f"-tag={tag}", *piece, patience=LONG)


def _pieces(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), AT_ONCE):
        yield names[start : start + AT_ONCE]


def _calls(added: list[Piece]) -> Iterator[list[Piece]]:
    """Yield the pieces of each call. Few calls are faster than many."""
    call: list[Piece] = []
    for piece in added:
        if call and sum(len(names) for _, names in (*call, piece)) > AT_ONCE:
            yield call
            call = []
        call.append(piece)
    if call:
        yield call


def _add(api: LocalApi, inbounds: list[dict[str, Any]]) -> None:
    """Add the users of *inbounds* from a file, because every user of a host sees command lines."""
    files.write(ADDED, json.dumps({"inbounds": inbounds}).encode())
    try:
        api.call("adu", str(files.at(ADDED)), patience=LONG)
    finally:
        files.at(ADDED).unlink(missing_ok=True)
