"""Whose links a change ends: people must be sent new ones, whatever the server does."""

from collections.abc import Iterator

from ops.changes.sides import Side
from ops.errors import SecretsError
from ops.links.share import link
from ops.model import Host, Inbound, Key


def dead_links(old: Side, before: Host, new: Side, after: Host) -> Iterator[str]:
    """Yield the inbounds of a host whose old links are no longer among the new ones."""
    offered = {inbound.name: inbound for inbound in before.inbounds}
    for inbound in after.inbounds:
        was = offered.get(inbound.name)
        if was and (key := _key_of_both(old, before, was, new, after, inbound)):
            had, has = _links(old, before, was, key), _links(new, after, inbound, key)
            if has and not had <= has:
                yield inbound.name


def _key_of_both(
    old: Side, before: Host, was: Inbound, new: Side, after: Host, inbound: Inbound
) -> Key | None:
    """Return any key that opens an inbound before and after: what ends its link ends all."""
    had = {key.name for key in old.fleet.keys_on(before, was)}
    return next((key for key in new.fleet.keys_on(after, inbound) if key.name in had), None)


def _links(side: Side, host: Host, inbound: Inbound, key: Key) -> set[str]:
    """Return what an app would be given, less what it calls it; nothing if none was ever made."""
    try:
        made = [
            link(side.fleet, host, inbound, key, side.secrets, address) for address in host.address
        ]
    except SecretsError:
        return set()
    return {url.split("#")[0] for url in made}
