"""Everything a rollout must know of a host, gathered at once: no secret is in it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from ops.model import layout
from ops.servers.on_host import (
    files,
    foreign,
    intact,
    lock,
    network,
    places,
    service,
    settings,
    transaction,
)
from ops.servers.on_host.core import LocalApi
from ops.servers.on_host.failure import RolloutError
from ops.servers.on_host.service import Service
from ops.servers.on_host.users import Users, fingerprints, frame, inbound_secrets, of_config

_NONE: dict[str, Any] = {}


class HostState(NamedTuple):
    """What a host has, and what its core runs.

    No dataclass: their module alone is a tenth of the time that a host needs to look at itself.
    """

    machine: str = ""
    system: str = ""
    kernel: str = ""
    python: str = ""
    systemd: bool = True
    disk: dict[str, str] = _NONE
    """By path: a file's SHA-256, or ``-> target``; files that are not there are left out."""
    releases: Sequence[str] = ()
    """Those whose files are as they were installed; one that is damaged is left out."""
    active: str = ""
    foreign: str = ""
    """An active ``xray.service`` that is not ours, with its program, ports and users."""
    run: str = ""
    started_frame: str = ""
    """The fingerprint, less its users, of the config the running core was started on."""
    started_settings: dict[str, str] = _NONE
    """The same, field by field; values that could be secrets are fingerprints."""
    started_unit: str = ""
    started_core: str = ""
    timer: bool = True
    """Whether the counters are written down every minute."""
    users: Users | None = None
    """In the running core, as fingerprints; None if it does not tell."""
    file_users: Users = _NONE
    """In the config on the disk, as fingerprints."""
    inbound_secrets: dict[str, list[str]] = _NONE
    unfinished: str = ""
    """Who left a rollout unfinished."""
    holder: dict[str, Any] | None = None
    record: dict[str, Any] = _NONE
    addresses: Sequence[str] = ()
    listeners: Sequence[Sequence[Any]] = ()
    """Who else holds ports or our socket: protocol, port, pid, program, unit."""
    drop_ins: Sequence[str] = ()
    read_only: Sequence[str] = ()
    """Folders that a rollout writes to and cannot."""
    free: int = 1 << 40
    """Bytes free where a core passes through."""


def gather() -> HostState:
    """Look at everything."""
    systemd = files.at("/run/systemd/system").is_dir()
    unfinished = transaction.journal()
    return HostState(
        machine=os.uname().machine,
        system=_system(),
        kernel=os.uname().release,
        python=sys.version.split()[0],
        systemd=systemd,
        disk=disk(),
        releases=_releases(),
        unfinished=str(unfinished.get("who", "somebody")) if unfinished else "",
        holder=lock.holder(),
        record=files.read_json(places.RECORD) or {},
        addresses=network.own_addresses(),
        drop_ins=foreign.drop_ins(),
        read_only=_read_only(),
        free=min(_free(layout.CORES), _free(places.STATE)),
        **_of_the_file(),
        **(_of_the_service() if systemd else {}),
    )


def disk() -> dict[str, str]:
    """Return what lies in each of our places; the swap refuses if it is not what was planned on."""
    found = {path: files.digest(path) for path in places.OURS}
    return {path: digest for path, digest in found.items() if digest}


def digest(disk: dict[str, str]) -> str:
    """Return one digest of all of *disk*."""
    return hashlib.sha256(json.dumps(disk, sort_keys=True).encode()).hexdigest()


def _of_the_file() -> dict[str, Any]:
    config = service.live_config()
    try:
        users = fingerprints(of_config(config))
        return {"file_users": users, "inbound_secrets": inbound_secrets(config)}
    except (AttributeError, KeyError, TypeError):  # a config that was not made here
        return {}


def _of_the_service() -> dict[str, Any]:
    now = Service()
    stranger = foreign.service(now)
    started = service.started_config()
    known = now.runs and started and not stranger
    return {
        "active": now.active,
        "foreign": stranger,
        "run": now.run,
        "timer": now.timer,
        "started_frame": frame(started) if known else "",
        "started_settings": settings.of(started) if known else {},
        "started_unit": "" if now.stale else files.digest(places.STARTED_UNIT),
        "started_core": now.core,
        "users": _running_users(started) if known else None,
        "listeners": [list(held) for held in network.listeners(besides=now.pid)],
    }


def _running_users(started: dict[str, Any]) -> Users | None:
    api = LocalApi(started)
    try:
        return fingerprints(api.users()) if api.tells_users else None
    except (RolloutError, ValueError):
        return None


def _releases() -> list[str]:
    folder = files.at(layout.CORES)
    folders = (there for there in folder.glob("[!.]*") if not there.is_symlink())
    return sorted(there.name for there in folders if intact.is_intact(there))


def _read_only() -> list[str]:
    return [path for path in places.WRITTEN if _disk(path).f_flag & os.ST_RDONLY]


def _system() -> str:
    try:
        lines = files.at("/etc/os-release").read_text().splitlines()
    except OSError:
        return os.uname().sysname
    named = dict(line.partition("=")[::2] for line in lines if "=" in line)
    return named.get("PRETTY_NAME", os.uname().sysname).strip('"')


def _free(path: str) -> int:
    disk = _disk(path)
    return disk.f_bavail * disk.f_frsize


def _disk(path: str) -> os.statvfs_result:
    """Return the file system that *path* is on, or would be."""
    there = files.at(path)
    while not there.exists():
        there = there.parent
    return os.statvfs(there)
