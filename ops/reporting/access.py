"""The inbounds that each key opens, and short words for many of them."""

from collections.abc import Iterator, Sequence

from ops.model import ALL, Host, Key, opens

Word = tuple[str, set[str]]
"""A word as keys.toml writes it, and the inbounds that it means, as ``host/inbound``."""


def opened(hosts: Sequence[Host], key: Key) -> list[str]:
    """Return the inbounds of *hosts* that *key* opens, as ``host/inbound``."""
    return [
        f"{host.name}/{inbound.name}"
        for host in hosts
        for inbound in host.inbounds
        if opens(key, host, inbound)
    ]


def shortened(words: Sequence[Word], inbounds: Sequence[str]) -> list[str]:
    """Return *inbounds* in as few of *words* as possible: all, groups, hosts, single inbounds."""
    left, chosen = set(inbounds), []
    for word, meant in words:
        if meant and left.issuperset(meant):
            chosen.append(word)
            left -= meant
    return chosen


def words_for(hosts: Sequence[Host]) -> Iterator[Word]:
    """Yield each word that means inbounds of *hosts*, words for many inbounds first."""
    groups = dict.fromkeys(group for host in hosts for group in host.groups)
    scopes = {ALL: tuple(hosts)} | {g: tuple(h for h in hosts if g in h.groups) for g in groups}
    shared = {scope: members for scope, members in scopes.items() if len(members) > 1}
    names = dict.fromkeys(inbound.name for host in hosts for inbound in host.inbounds)
    for scope, members in shared.items():
        yield scope, _inbounds(members)
    for scope, members in shared.items():
        for name in names:
            meant = {place for place in _inbounds(members) if place.endswith(f"/{name}")}
            if len(meant) > 1:
                yield f"{scope}/{name}", meant
    for host in hosts:
        yield host.name, _inbounds((host,))
    for host in hosts:
        yield from ((place, {place}) for place in _of(host))


def _of(host: Host) -> list[str]:
    return [f"{host.name}/{inbound.name}" for inbound in host.inbounds]


def _inbounds(hosts: Sequence[Host]) -> set[str]:
    """Return every inbound of *hosts*, as ``host/inbound``."""
    return {place for host in hosts for place in _of(host)}
