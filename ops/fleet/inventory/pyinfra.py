"""The fleet as pyinfra's groups of (name, data), without secrets."""

import fnmatch
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ops.errors import UsageError
from ops.files import read_bytes, read_text, shown_path
from ops.fleet.inventory import known_hosts, ssh_names
from ops.fleet.inventory.jumps import ssh_config
from ops.model import ALL, Fleet, Host
from ops.model.spelling import with_suggestion

_PATIENT = {"ssh_connect_retries": 5, "ssh_connect_retry_max_delay": 2.0}
"""Retries, because a jump host refuses some of many logins at once (sshd's MaxStartups)."""

Members = list[tuple[str, dict[str, Any]]]


def groups(fleet: Fleet, today: date, chosen: Mapping[str, Iterable[str]]) -> dict[str, Members]:
    """Return *fleet* as pyinfra's groups, without hosts in maintenance on the day *today*.

    Print a line about each host in maintenance. *chosen* are the patterns of pyinfra's options
    --limit and --exclude.
    """
    present = [host for host in fleet.hosts if not _away(host, today)]
    lost = _lost_keys(visited(present, today, chosen))
    config = ssh_config(fleet)
    members: dict[str, Members] = {
        ALL: [(host.name, _data(host, fleet, config, lost)) for host in present]
    }
    for host in present:
        for group in host.groups:
            members.setdefault(group, []).append((host.name, {}))
    return members


def refuse_unmatched(groups: Mapping[str, Members], option: str, patterns: Iterable[str]) -> None:
    """Raise UsageError if a pattern of pyinfra's *option* matches no host and no group.

    pyinfra would only warn, continue with other hosts than intended, and exit with 0.
    """
    hosts = [name for name, _ in groups[ALL]]
    for pattern in patterns:
        if pattern not in groups and not fnmatch.filter(hosts, pattern):
            message = f"{option} {pattern} names no host and no group that is rolled out"
            raise UsageError(with_suggestion(message, pattern, [*hosts, *groups]))


def untrusted_hosts(fleet: Fleet, hosts: Iterable[Host]) -> list[str]:
    """Return the names of those of *hosts* that have no host key in known_hosts.

    The list is empty if names in known_hosts are hashed.
    """
    names = known_hosts.names(read_text(fleet.known_hosts).splitlines())
    if any(name.startswith("|1|") for name in names):
        return []
    settings = ssh_names.settings()
    places = ((host.name, _known_hosts_name(host, settings)) for host in hosts)
    return [name for name, place in places if place and place not in names]


def visited(hosts: Iterable[Host], today: date, chosen: Mapping[str, Iterable[str]]) -> list[Host]:
    """Return those of *hosts* that pyinfra will connect to on the day *today*.

    *chosen* are the patterns of pyinfra's options --limit and --exclude.
    """
    limit, exclude = (list(chosen.get(option, ())) for option in ("--limit", "--exclude"))
    return [
        host
        for host in hosts
        if not host.is_away(today)
        and (not limit or _is_named(host, limit))
        and not _is_named(host, exclude)
    ]


def _is_named(host: Host, patterns: Iterable[str]) -> bool:
    return any(
        pattern in (ALL, *host.groups) or fnmatch.fnmatch(host.name, pattern)
        for pattern in patterns
    )


def _lost_keys(hosts: Iterable[Host]) -> set[str]:
    """Return the private ssh keys that are not on this machine, and print a line about each."""
    naming: dict[str, list[str]] = {}
    for host in hosts:
        if host.ssh.key:
            naming.setdefault(host.ssh.key, []).append(host.name)
    lost = [key for key in naming if not _holds_key(key)]
    for key in lost:
        sys.stderr.write(
            f"there is no private ssh key at {shown_path(Path(key))}, which hosts.toml names for"
            f" {', '.join(naming[key])}: put it there, or only your agent's and usual keys are"
            " tried\n"
        )
    return set(lost)


def _holds_key(file: str) -> bool:
    try:
        return read_bytes(Path(file)).startswith(b"-----BEGIN ")
    except OSError:
        return False


def _known_hosts_name(host: Host, settings: list[ssh_names.Setting]) -> str:
    """Return the name of *host* in known_hosts; empty if it is not certain."""
    hostname = host.ssh.hostname or host.name
    place = ssh_names.place(hostname, settings)
    if place is None:
        return ""
    port = host.ssh.port or place[1]
    return place[0] if port == 22 else f"[{place[0]}]:{port}"


def _away(host: Host, today: date) -> bool:
    if not host.maintenance or not host.is_away(today):
        return False
    until, reason = host.maintenance.until, host.maintenance.why
    sys.stderr.write(f"{host.name} is left out: in maintenance until {until}, {reason}\n")
    return True


def _data(host: Host, fleet: Fleet, config: Path | None, lost: set[str]) -> dict[str, Any]:
    """Return the pyinfra data of *host*, without empty values."""
    data: dict[str, Any] = {
        "ssh_hostname": host.ssh.hostname or host.name,
        "ssh_port": host.ssh.port,
        "ssh_user": host.ssh.user,
        # One key that pyinfra cannot read ends the rollout of all hosts with a traceback.
        "ssh_key": host.ssh.key if host.ssh.key not in lost else "",
        "ssh_known_hosts_file": str(fleet.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "_sudo": host.uses_sudo,
    }
    if config:
        data["ssh_config_file"] = str(config)
    if host.ssh.jump:
        data |= {"ssh_hostname": host.name, **_PATIENT}
    return {name: value for name, value in data.items() if value}
