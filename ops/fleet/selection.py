"""Select hosts and keys of a fleet by names and globs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from typing import TypeVar

from ops.errors import UnknownNameError, UsageError
from ops.model import Fleet, Host, Key

Thing = TypeVar("Thing")


def hosts(
    fleet: Fleet,
    names: Sequence[str] = (),
    groups: Sequence[str] = (),
    *,
    even_absent: bool = False,
) -> tuple[Host, ...]:
    """Return the hosts that *names* or *groups* match; all hosts if both are empty.

    Hosts with ``state = "absent"`` are selected only with *even_absent*. UsageError if a glob
    matches nothing, or only absent hosts.
    """
    by_name = {host.name: [host] for host in fleet.hosts}
    by_group: dict[str, list[Host]] = {}
    for host in fleet.hosts:
        for group in host.groups:
            by_group.setdefault(group, []).append(host)
    asked = [(glob, "host", by_name) for glob in names]
    asked += [(glob, "group", by_group) for glob in groups]
    matched = set() if asked else {host.name for host in fleet.hosts}
    for glob, what, known in asked:
        hosts = [host for host in _matching(glob, what, known) if even_absent or host.is_up]
        if not hosts:
            raise UsageError(f"{what} {glob!r}: {_ABSENT}")
        matched |= {host.name for host in hosts}
    return tuple(h for h in fleet.hosts if h.name in matched and (even_absent or h.is_up))


_ABSENT = (
    'state = "absent" in hosts.toml, so no core runs there; '
    "`ops hosts` and `ops status` show such hosts"
)


def keys(fleet: Fleet, names: Sequence[str] = ()) -> tuple[Key, ...]:
    """Return the keys that *names* match; all keys if *names* is empty."""
    if not names:
        return fleet.keys
    named = {key.name: [key] for key in fleet.keys}
    matched = {key.name for glob in names for key in _matching(glob, "key", named)}
    return tuple(key for key in fleet.keys if key.name in matched)


def key(fleet: Fleet, name: str) -> Key:
    """Return the key *name*; UnknownNameError if there is none."""
    return _called(name, "key", {key.name: key for key in fleet.keys})


def host(fleet: Fleet, name: str) -> Host:
    """Return the host *name*; UnknownNameError if there is none."""
    return _called(name, "host", {host.name: host for host in fleet.hosts})


def host_or_jump(fleet: Fleet, name: str) -> Host:
    """Return the host or the jump host *name*; UnknownNameError if there is none."""
    if any(candidate.name == name for candidate in fleet.hosts):
        return host(fleet, name)
    for candidate in fleet.hosts:
        jump, way = candidate.ssh.jump, candidate.ssh.jump_host
        if way and name in (jump, jump.rpartition("@")[2], way.hostname):
            return Host(name=name, ssh=replace(way, user="", key=""))
    return host(fleet, name)


def hosts_or_jumps(fleet: Fleet, names: Sequence[str]) -> tuple[Host, ...]:
    """Return the hosts that *names* match, and the jump hosts with these names."""
    chosen = (
        each
        for name in names
        for each in (
            hosts(fleet, [name], even_absent=True)
            if set("*?") & set(name)
            else [host_or_jump(fleet, name)]
        )
    )
    return tuple({each.name: each for each in chosen}.values())


def away(hosts: Iterable[Host], today: date) -> tuple[Host, ...]:
    """Return those of *hosts* that are in maintenance on the day *today*."""
    return tuple(host for host in hosts if host.is_away(today))


def _called(name: str, what: str, named: dict[str, Thing]) -> Thing:
    if name in named:
        return named[name]
    raise UnknownNameError(what, name, named)


def _matching(glob: str, what: str, named: dict[str, list[Thing]]) -> list[Thing]:
    matches = [
        thing for name, things in named.items() if fnmatchcase(name, glob) for thing in things
    ]
    if not matches:
        raise UnknownNameError(what, glob, named)
    return matches
