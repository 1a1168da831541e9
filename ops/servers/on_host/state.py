"""Gather the state of a host for a rollout. It contains no secret."""

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
    """The state of a host: its files, its system and its core.

    It is no dataclass, because importing `dataclasses` takes a tenth of the time of a look.
    """

    machine: str = ""
    """The architecture, such as ``x86_64``."""
    system: str = ""
    """The name of the distribution."""
    kernel: str = ""
    python: str = ""
    systemd: bool = True
    """Whether the host runs systemd."""
    disk: dict[str, str] = _NONE
    """By path: the SHA-256 of a file, or ``-> target`` of a link. Missing files have no entry."""
    releases: Sequence[str] = ()
    """The SHA-256 of each installed core, except damaged ones."""
    active: str = ""
    """The ActiveState of the core's service."""
    foreign: str = ""
    """An active ``xray.service`` that is not ours, with its program, ports and users."""
    run: str = ""
    """The id of the run: systemd's InvocationID."""
    started_frame: str = ""
    """The fingerprint of the config that the running core started on, without users."""
    started_settings: dict[str, str] = _NONE
    """The same by field. Values that could be secrets are fingerprints."""
    started_unit: str = ""
    """The SHA-256 of the unit that the running core started with."""
    started_core: str = ""
    """The SHA-256 of the running release; empty if it is unknown."""
    timer: bool = True
    """Whether the timer runs, which saves a reading every minute."""
    users: Users | None = None
    """Users of the running core, with fingerprints; None if it cannot list them."""
    file_users: Users = _NONE
    """Users of the config on the disk, with fingerprints."""
    inbound_secrets: dict[str, list[str]] = _NONE
    """By inbound: fingerprints of its own secrets in the config on the disk."""
    unfinished: str = ""
    """The operator of an unfinished rollout."""
    holder: dict[str, Any] | None = None
    """``who`` holds the lock, and ``since`` when; None if no rollout is running."""
    record: dict[str, Any] = _NONE
    """The record of the last rollout."""
    addresses: Sequence[str] = ()
    """The public addresses of the host."""
    listeners: Sequence[Sequence[Any]] = ()
    """Other holders of ports and of the API's socket: protocol, port, pid, program, unit."""
    drop_ins: Sequence[str] = ()
    """Files that change the core's unit."""
    read_only: Sequence[str] = ()
    """Paths of `places.WRITTEN` on a read-only file system."""
    free: int = 1 << 40
    """Free bytes for a new core, on the fullest of its file systems."""


def gather() -> HostState:
    """Return the present state of this host."""
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
    """Return `HostState.disk`: the digest of each of our files. A plan is made for one value."""
    digests = {path: files.digest(path) for path in places.OURS}
    return {path: digest for path, digest in digests.items() if digest}


def digest(disk: dict[str, str]) -> str:
    """Return one digest of all entries of *disk*."""
    return hashlib.sha256(json.dumps(disk, sort_keys=True).encode()).hexdigest()


def _of_the_file() -> dict[str, Any]:
    config = service.config_on_disk()
    try:
        users = fingerprints(of_config(config))
        return {"file_users": users, "inbound_secrets": inbound_secrets(config)}
    except (AttributeError, KeyError, TypeError):  # no config of ours
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
        return fingerprints(api.users()) if api.lists_users else None
    except (RolloutError, ValueError):
        return None


def _releases() -> list[str]:
    folder = files.at(layout.CORES)
    releases = (path for path in folder.glob("[!.]*") if not path.is_symlink())
    return sorted(path.name for path in releases if intact.is_intact(path))


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
    """Return the file system of *path*, or of its nearest existing parent folder."""
    place = files.at(path)
    while not place.exists():
        place = place.parent
    return os.statvfs(place)
