"""Call the core's own program `xray`, as root of this host."""

from __future__ import annotations

import grp
import json
import os
import pwd
from typing import Any

from ops.model import layout
from ops.servers.on_host.failure import RolloutError
from ops.servers.on_host.files import at
from ops.servers.on_host.programs import demand, run
from ops.servers.on_host.users import Users, has_users, proof

PATIENCE = 3
"""Seconds to wait for an answer of the API. The core's program has the same limit."""
LONG = 60
"""Seconds to wait for an answer about thousands of users."""


class LocalApi:
    """The API of the running core, which started on *config*."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.server = server_of(config)

    def call(self, verb: str, *words: str, patience: int = PATIENCE) -> Any:
        """Return the JSON answer to `xray api VERB`; RolloutError if there is none."""
        command = [program(), "api", verb, "-s", self.server, "-t", str(patience), *words]
        output = demand(command, patience + 2)
        return json.loads(output) if output.strip().startswith("{") else {}

    def counters(self) -> dict[str, int]:
        """Return every counter and its value."""
        stats = self.call("statsquery").get("stat", [])
        return {stat["name"]: int(stat.get("value", 0)) for stat in stats}

    @property
    def lists_users(self) -> bool:
        """Return whether the core can list its users. With ``api = "inbound"`` it cannot."""
        return "listen" in self.config.get("api", {})

    def users(self) -> Users:
        """Return the users of the running core, by inbound."""
        tags = [i["tag"] for i in self.config.get("inbounds", []) if has_users(i)]
        return {tag: self._users_of(tag) for tag in tags}

    def _users_of(self, tag: str) -> dict[str, str]:
        answer = self.call("inbounduser", f"-tag={tag}", patience=LONG)
        return {user["email"]: proof(user["account"]) for user in answer.get("users", [])}


def server_of(config: dict[str, Any]) -> str:
    """Return the address of the API in the form of `xray api -s`.

    >>> server_of({"api": {"listen": "/run/xray/api.sock,0660"}})
    'unix:/run/xray/api.sock'
    """
    listen = str(config.get("api", {}).get("listen", "")).split(",")[0]
    if listen.startswith("/"):
        return f"unix:{at(listen)}"
    return listen or f"127.0.0.1:{layout.API_PORT}"


def run_of(counters: dict[str, int]) -> str:
    """Return the id of the run of *counters*, from the name of one of them. Empty if none has it.

    >>> run_of({"outbound>>>run-5f>>>traffic>>>uplink": 0})
    '5f'
    """
    head = f"outbound>>>{layout.RUN_PREFIX}"
    names = (name for name in counters if name.startswith(head))
    return next((name[len(head) :].split(">>>")[0] for name in names), "")


def program(folder: str | None = None) -> str:
    """Return the path of the core's program in *folder* (default: the one in use)."""
    return str(at(f"{folder}/xray" if folder else layout.CORE))


def test(config: str, folder: str) -> None:
    """Build *config* with the core in *folder*, without opening ports. RolloutError if it fails."""
    command = [program(folder), "run", "-test", "-format", "json", "-c", str(at(config))]
    environment = {**os.environ, "XRAY_LOCATION_ASSET": str(at(folder))}
    done = run(command, 60, env=environment, **as_the_core())
    if done.returncode:
        raise RolloutError(f"the core refuses the config: {reason(done.stdout + done.stderr)}")


def as_the_core() -> dict[str, Any]:
    """Return options of `subprocess.run` for the core's user. Empty if this user is not root."""
    if os.geteuid() != 0:
        return {}
    groups: list[int] = [grp.getgrnam(layout.USER).gr_gid]
    api = grp.getgrnam(layout.API_GROUP).gr_gid
    return {"user": pwd.getpwnam(layout.USER).pw_uid, "group": api, "extra_groups": groups}


def reason(output: str) -> str:
    """Return the reason of a failure from the *output* of the core.

    >>> reason("Xray 26.10.10\\nFailed to start: main: failed > infra/conf: no such protocol")
    'main: failed > infra/conf: no such protocol'
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    failed = [line.partition("Failed to start: ")[2] for line in lines if "Failed to start" in line]
    return (failed or lines or ["it printed nothing"])[-1]
