"""Bring the users of the running core to those of a config, dropping nobody."""

from __future__ import annotations

import json
from typing import Any

from ops.on_host import files, users
from ops.on_host.core import Api

ADDED = "/run/xray-ops.users.json"
AT_ONCE = 500
"""Names on one command line."""


def reconcile(config: dict[str, Any]) -> None:
    """Remove and add users until the core has those of *config*.

    The core's program exits with 0 whatever happens: the caller proves the outcome. What is
    added is made from the inbound as rendered, for an account of the wrong kind ends the core.
    """
    api = Api(config)
    there = api.users()
    added: list[dict[str, Any]] = []
    for inbound in config["inbounds"]:
        wanted = users.of_config({"inbounds": [inbound]}).get(inbound["tag"])
        if wanted is not None:
            has = there.get(inbound["tag"], {})
            _remove(api, inbound["tag"], [n for n in has if has[n] != wanted.get(n)])
            new = [name for name in wanted if has.get(name) != wanted[name]]
            added += [users.only(inbound, new)] if new else []
    if added:
        _add(api, added)


def _remove(api: Api, tag: str, names: list[str]) -> None:
    for start in range(0, len(names), AT_ONCE):
        api.call("rmu", f"-tag={tag}", *names[start : start + AT_ONCE])


def _add(api: Api, inbounds: list[dict[str, Any]]) -> None:
    """A file, not words of a command line: everybody on the host can see those."""
    files.write(ADDED, json.dumps({"inbounds": inbounds}).encode())
    try:
        api.call("adu", str(files.at(ADDED)))
    finally:
        files.at(ADDED).unlink(missing_ok=True)
