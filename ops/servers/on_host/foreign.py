"""Find a service of other people under the name of ours, and changes to our unit."""

from __future__ import annotations

import os
from typing import Any

from ops.model import layout
from ops.servers.on_host import files, network, places, users
from ops.servers.on_host.service import Service

STOPPED = ("", "inactive", "failed")
"""Active states of a service that does not run."""
UNIT_FOLDERS = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    places.UNITS,
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""The folders in which systemd looks for drop-ins (systemd.unit(5))."""
CONFIG_WORDS = ("-c", "-config", "--config")
"""Options of the core that name a config file."""


def service(now: Service) -> str:
    """Return a description of an active ``xray.service`` that is not ours; empty if it is ours.

    The service is ours if it starts the core from our folder.
    """
    if now.active in STOPPED or layout.CORE in now.starts or _is_our_program(now.pid):
        return ""
    known = [_program(now.pid), *sorted(network.ports_of(now.pid)), _users(now.pid)]
    details = ", ".join(part for part in known if part)
    return f"{layout.UNIT} ({details})" if details else layout.UNIT


def drop_ins() -> list[str]:
    """Return the paths of all drop-ins that change the core's service."""
    drop_ins: dict[str, str] = {}
    for folder in UNIT_FOLDERS:
        for file in files.at(f"{folder}/{layout.UNIT}.d").glob("*.conf"):
            name = f"{folder}/{layout.UNIT}.d/{file.name}"
            drop_ins.setdefault(os.path.realpath(file), name)
    return sorted(drop_ins.values())


def _is_our_program(pid: int) -> bool:
    return pid != 0 and _program(pid).startswith(f"{layout.CORES}/")


def _program(pid: int) -> str:
    return network.program(files.at(f"/proc/{pid}")) if pid else ""


def _users(pid: int) -> str:
    """Return the number of users in the config of the process *pid*; empty if unknown."""
    try:
        words = files.at(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return ""
    named = [after for word, after in zip(words, words[1:]) if word in CONFIG_WORDS]
    count = sum(_count(files.read_json(path)) for path in named if path.endswith(".json"))
    return f"{count} user{'' if count == 1 else 's'}" if count else ""


def _count(config: Any) -> int:
    """Return the number of users in *config*, which may be any JSON."""
    inbounds = config.get("inbounds") if isinstance(config, dict) else None
    try:
        return sum(len(users.entries(inbound)) for inbound in inbounds or [])
    except (AttributeError, TypeError):
        return 0
