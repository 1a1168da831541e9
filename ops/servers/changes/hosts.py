"""What lies between two states of a fleet: per host, who gains or loses access, what restarts.

The older state stands in for a host that was rolled out then: the comparison is the rollout's own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ops.model import Host, layout
from ops.model.key import key_of
from ops.servers.changes.links import dead_links
from ops.servers.changes.sides import Side, same_inputs
from ops.servers.on_host import order, places
from ops.servers.on_host.state import HostState
from ops.servers.planning.difference import Difference
from ops.servers.planning.plan import Comparison, effect
from ops.servers.planning.wanted import Wanted

Effect = Literal["new", "absent", "forgotten", "restart", "live", "files", "links", ""]
"""``forgotten``: gone from the inventory without having been absent, so its core runs on;
``live``: users into the running core; ``files``: the core is not touched; ``links``: nothing
is to be rolled out, but clients must dial otherwise."""
_EFFECTS: dict[str, Effect] = {order.RESTART: "restart", order.HOT: "live", order.FILES: "files"}

Access = dict[str, list[str]]
"""Inbounds, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostChange:
    """What a rollout would do to one host that was rolled out before."""

    host: str
    effect: Effect = ""
    why: tuple[str, ...] = ()
    """Why the core restarts."""
    gained: Access = field(default_factory=dict)
    lost: Access = field(default_factory=dict)
    links: tuple[str, ...] = ()
    """Inbounds whose links are no longer the same: their keys need new ones."""
    why_links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By inbound, the parts in which its links differ."""
    files: dict[str, str] = field(default_factory=dict)
    """Files of the set besides the config: ``+``, ``-`` or ``~``, by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that differs."""

    hosts: tuple[HostChange, ...]
    """Those that differ."""
    unchanged: int = 0


def between(
    old: Side, new: Side, hosts: Sequence[str], advance: Callable[[], None] = lambda: None
) -> Changes:
    """Return what becomes of *hosts* from *old* to *new*; *advance* is called after each.

    FleetError where one of them cannot be rendered.
    """
    found = []
    for name in hosts:
        change = _change(name, old, new)
        if change.effect:
            found.append(change)
        advance()
    return Changes(hosts=tuple(found), unchanged=len(hosts) - len(found))


def _change(name: str, old: Side, new: Side) -> HostChange:
    before, after = old.up(name), new.up(name)
    if before and after:
        if same_inputs(old, before, new, after):
            return HostChange(host=name)
        return _compared(before, old, after, new)
    if after:
        gained = _access(new.users(after))
        return HostChange(host=name, effect="new", gained=gained)
    if before and name in new.hosts:
        return HostChange(host=name, effect="absent", lost=_access(old.users(before)))
    return HostChange(host=name, effect="forgotten" if before else "")


def _compared(before: Host, old: Side, after: Host, new: Side) -> HostChange:
    # A release stands for itself by name: which machines there are is not known here.
    release = "the same" if old.has_core_of(new) else "another"
    was, wanted = old.set_of(before, "the same"), new.set_of(after, release)
    compared = Comparison(new.fleet, after, _rolled_out(before, was), wanted)
    how, why = effect(compared)
    why += _rekeyed(old, after, new)
    links = dict(dead_links(old, before, new, after))
    effected = "restart" if why else _EFFECTS[how] if how else "links" if links else ""
    return _told(compared, effected, why, links)


def _rolled_out(host: Host, was: Wanted) -> HostState:
    """Return *host* as a look would find it with the set *was*."""
    return HostState(
        disk=was.digests,
        releases=[was.release],
        active="active",
        started_frame=was.frame,
        started_shape=was.shape,
        started_unit=was.digests[places.UNIT],
        started_core=was.release,
        users=was.fingerprints if host.api == "socket" else None,
        file_users=was.fingerprints,
    )


def _told(
    compared: Comparison, effect: Effect, why: Sequence[str], links: dict[str, tuple[str, ...]]
) -> HostChange:
    users: Difference = compared.users
    have, want = compared.state.disk, compared.wanted.digests
    return HostChange(
        host=compared.host.name,
        effect=effect,
        why=tuple(why),
        gained=_by_key(users.added),
        lost=_by_key(users.removed),
        links=tuple(links),
        why_links=links,
        files={
            path: "~" if path in have and path in want else "-" if path in have else "+"
            for path in compared.changed
            if path not in (places.CURRENT, *places.LINKS)
            and (path != layout.CONFIG or effect == "files")
        },
    )


def _rekeyed(old: Side, after: Host, new: Side) -> Iterator[str]:
    """Yield the inbounds whose REALITY key is another; the committed public half tells."""
    for inbound in after.inbounds:
        place = (after.name, inbound.name)
        had, has = (side.fleet.public_keys.get(place) for side in (old, new))
        if had and has and had != has:
            yield f"another REALITY key for {inbound.name}"


def _access(users: dict[str, dict[str, str]]) -> Access:
    found: Access = {}
    for inbound, named in users.items():
        for name in named:
            found.setdefault(name, []).append(inbound)
    return _by_key(found)


def _by_key(users: Access) -> Access:
    """Return *users* of the core as people: a key's generations are one, and nobody is none."""
    found: dict[str, set[str]] = {}
    for name, inbounds in users.items():
        if name != layout.NOBODY:
            found.setdefault(key_of(name), set()).update(inbounds)
    return {key: sorted(inbounds) for key, inbounds in sorted(found.items())}
