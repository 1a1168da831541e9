"""Compare two states of a fleet, and tell the effect of a rollout on each host and key.

The older state is treated as the state of the host, so the comparison is that of a rollout.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from ops.model import Host, layout
from ops.model.key import key_of
from ops.servers.changes.links import dead_links
from ops.servers.changes.sides import Side, same_inputs
from ops.servers.on_host import places
from ops.servers.on_host.state import HostState
from ops.servers.planning.transition import Transition
from ops.servers.planning.wanted import Wanted

Effect = Literal["new", "absent", "forgotten", "restart", "hot", "files", "links", ""]
"""The effect of a rollout on one host.

* ``new``: the host gets its first core.
* ``absent``: the rollout takes the core off.
* ``forgotten``: the host is gone from the inventory but was never ``absent``: its core runs on.
* ``restart``: the core restarts.
* ``hot``: the running core gets other users.
* ``files``: other files change, and the core runs on.
* ``links``: the host does not change, but clients need other links.
* empty: nothing changes.
"""

Access = dict[str, list[str]]
"""Names of inbounds, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostChange:
    """The effect of a rollout on one host that has the older state."""

    host: str
    effect: Effect = ""
    why: tuple[str, ...] = ()
    """The reasons to restart the core."""
    gained: Access = field(default_factory=dict)
    lost: Access = field(default_factory=dict)
    links: tuple[str, ...] = ()
    """Inbounds with changed links: their keys need new ones."""
    why_links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By inbound: the parts in which its links differ."""
    files: dict[str, str] = field(default_factory=dict)
    """By path: ``+``, ``-`` or ``~`` for a file of the set, other than the config."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The differences between two states of a fleet."""

    hosts: tuple[HostChange, ...]
    """The hosts that differ."""
    unchanged: int = 0
    """The number of hosts that do not differ."""


def between(
    old: Side, new: Side, hosts: Sequence[str], advance: Callable[[], None] = lambda: None
) -> Changes:
    """Return the changes of *hosts* from *old* to *new*. *advance* is called after each host.

    FleetError if one of them cannot be rendered.
    """
    changes = []
    for name in hosts:
        change = _change(name, old, new)
        if change.effect:
            changes.append(change)
        advance()
    return Changes(hosts=tuple(changes), unchanged=len(hosts) - len(changes))


def _change(name: str, old: Side, new: Side) -> HostChange:
    before, after = old.up(name), new.up(name)
    if before and after:
        if same_inputs(old, before, new, after):
            return HostChange(host=name)
        return _change_of_set(before, old, after, new)
    if after:
        gained = _access(new.users(after))
        return HostChange(host=name, effect="new", gained=gained)
    if before and name in new.hosts:
        return HostChange(host=name, effect="absent", lost=_access(old.users(before)))
    return HostChange(host=name, effect="forgotten" if before else "")


def _change_of_set(before: Host, old: Side, after: Host, new: Side) -> HostChange:
    # Names replace the digests of releases, because the architecture of the host is unknown here.
    release = "the same" if old.has_core_of(new) else "another"
    had, wanted = old.set_of(before, "the same"), new.set_of(after, release)
    transition = Transition(new.fleet, after, _state_with(before, had), wanted)
    how, reasons = transition.effect()
    reasons += _rekeyed(old, after, new)
    links = dict(dead_links(old, before, new, after))
    effect = "restart" if reasons else how or ("links" if links else "")
    return _host_change(transition, cast(Effect, effect), reasons, links)


def _state_with(host: Host, had: Wanted) -> HostState:
    """Return the state of *host* after a rollout of the set *had*."""
    return HostState(
        disk=had.digests,
        releases=[had.release],
        active="active",
        started_frame=had.frame,
        started_settings=had.settings,
        started_unit=had.digests[places.UNIT],
        started_core=had.release,
        users=had.fingerprints if host.api == "socket" else None,
        file_users=had.fingerprints,
    )


def _host_change(
    transition: Transition,
    effect: Effect,
    reasons: Sequence[str],
    links: dict[str, tuple[str, ...]],
) -> HostChange:
    users = transition.users
    have, want = transition.state.disk, transition.wanted.digests
    return HostChange(
        host=transition.host.name,
        effect=effect,
        why=tuple(reasons),
        gained=_by_key(users.added),
        lost=_by_key(users.removed),
        links=tuple(links),
        why_links=links,
        files={
            path: "~" if path in have and path in want else "-" if path in have else "+"
            for path in transition.changed
            if path not in (places.CURRENT, *places.LINKS)
            and (path != layout.CONFIG or effect == "files")
        },
    )


def _rekeyed(old: Side, after: Host, new: Side) -> Iterator[str]:
    """Yield a reason for each inbound with another REALITY key.

    The public keys in git show the change. The private keys are not read.
    """
    for inbound in after.inbounds:
        place = (after.name, inbound.name)
        had, has = (side.fleet.public_keys.get(place) for side in (old, new))
        if had and has and had != has:
            yield f"another REALITY key for {inbound.name}"


def _access(users: dict[str, dict[str, str]]) -> Access:
    inbounds: Access = {}
    for inbound, named in users.items():
        for name in named:
            inbounds.setdefault(name, []).append(inbound)
    return _by_key(inbounds)


def _by_key(users: Access) -> Access:
    """Return the inbounds by key, from *users* of the core.

    The generations of a key are joined. The user that blocks a Shadowsocks inbound is no key.
    """
    keys: dict[str, set[str]] = {}
    for name, inbounds in users.items():
        if name != layout.NOBODY:
            keys.setdefault(key_of(name), set()).update(inbounds)
    return {key: sorted(inbounds) for key, inbounds in sorted(keys.items())}
