"""Find the inbounds with links that stop working after a change."""

from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from ops.config.links.share import link
from ops.errors import SecretsError
from ops.model import Host, Inbound, Key
from ops.servers.changes.sides import Side

_SHOWN = ("protocol", "address", "port", "type", "security", "sni", "host", "path", "serviceName")
"""Parts of a link that are no secret."""


def dead_links(
    old: Side, before: Host, new: Side, after: Host
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each inbound that loses one of its old links, with the parts that differ."""
    inbounds_before = {inbound.name: inbound for inbound in before.inbounds}
    for inbound in after.inbounds:
        was = inbounds_before.get(inbound.name)
        if was and (key := _key_of_both(old, before, was, new, after, inbound)):
            had, has = _links(old, before, was, key), _links(new, after, inbound, key)
            if has and not had <= has:
                yield inbound.name, tuple(_different_parts(had, has))


def _key_of_both(
    old: Side, before: Host, was: Inbound, new: Side, after: Host, inbound: Inbound
) -> Key | None:
    """Return a key that has access before and after. Its links change as those of all keys."""
    had = {key.name for key in old.fleet.keys_on(before, was)}
    return next((key for key in new.fleet.keys_on(after, inbound) if key.name in had), None)


def _links(side: Side, host: Host, inbound: Inbound, key: Key) -> set[str]:
    """Return the links without their names; nothing if the secrets for them were never made."""
    try:
        links = [
            link(side.fleet, host, inbound, key, side.secrets, address) for address in host.address
        ]
    except SecretsError:
        return set()
    return {url.split("#")[0] for url in links}


def _different_parts(had: set[str], has: set[str]) -> Iterator[str]:
    """Yield the parts in which links differ: ``port: 443 -> 8443``."""
    before, after = _parts(had), _parts(has)
    for part in sorted(before.keys() | after.keys()):
        was, now = (", ".join(sorted(parts[part])) or "nothing" for parts in (before, after))
        if was != now:
            yield f"{part}: {was} -> {now}" if part in _SHOWN else f"another {part}"


def _parts(links: set[str]) -> defaultdict[str, set[str]]:
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for url in map(urlsplit, links):
        own = {"protocol": url.scheme, "address": url.hostname or "", "port": str(url.port or "")}
        for part, value in [*own.items(), *parse_qsl(url.query)]:
            parts[part].add(value)
    return parts
