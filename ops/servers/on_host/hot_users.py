"""Bring the users of the running core to those of a config, dropping nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ops.servers.on_host import files, users
from ops.servers.on_host.core import LONG, LocalApi

ADDED = "/run/xray-ops.users.json"
AT_ONCE = 500
"""Users of one call: the core's program ends a call that takes too long, and says nothing."""
Piece = tuple[dict[str, Any], list[str]]
"""An inbound, and the names of some of its users."""


def reconcile(config: dict[str, Any]) -> None:
    """Remove and add users until the core has those of *config*.

    The core's program exits with 0 whatever happens: the caller proves the outcome. What is
    added is made from the inbound as rendered, for an account of the wrong kind ends the core.
    """
    api = LocalApi(config)
    there = api.users()
    added: list[Piece] = []
    for inbound in config["inbounds"]:
        wanted = users.of_config({"inbounds": [inbound]}).get(inbound["tag"])
        if wanted is not None:
            has = there.get(inbound["tag"], {})
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
    """Yield what goes into one call each, because the start of each call costs time, too."""
    call: list[Piece] = []
    for piece in added:
        if call and sum(len(names) for _, names in (*call, piece)) > AT_ONCE:
            yield call
            call = []
        call.append(piece)
    if call:
        yield call


def _add(api: LocalApi, inbounds: list[dict[str, Any]]) -> None:
    """A file, not words of a command line: everybody on the host can see those."""
    files.write(ADDED, json.dumps({"inbounds": inbounds}).encode())
    try:
        api.call("adu", str(files.at(ADDED)), patience=LONG)
    finally:
        files.at(ADDED).unlink(missing_ok=True)
