"""Describe the changed settings of a config, field by field, without any secret."""

import json
from collections.abc import Iterator, Mapping

from ops.servers.on_host.settings import UNNAMED

Settings = Mapping[str, str]
"""By field: its value as JSON or as a fingerprint (:func:`ops.servers.on_host.settings.of`)."""

MOST = 6
"""The number of changes to name. The rest appears as a count."""
LONGEST = 60
"""The number of characters of a value to show."""
PARTS = ("inbounds", "outbounds")
DIALLED = ("port", "protocol", "network", "security", "path", "host", "serviceName", "method")
"""Fields of an inbound that its links contain."""


def changed_settings(had: Settings, has: Settings) -> list[str]:
    """Return the differences between two configs, in words.

    >>> changed_settings({"inbounds.ws.port": "443"}, {"inbounds.ws.port": "8443"})
    ['inbounds.ws.port: 443 -> 8443']
    """
    changes = list(dict.fromkeys(_changes(had, has)))
    more = len(changes) - MOST
    return [*changes[:MOST], f"and {more} more settings"] if more > 1 else changes


def redialled_inbounds(had: Settings, has: Settings) -> list[str]:
    """Return the names of the inbounds with links that no longer work."""
    fields = (f for f in had if f in has and had[f] != has[f] and f.startswith("inbounds."))
    changed = (field.split(".") for field in fields)
    return sorted({path[1] for path in changed if path[-1] in DIALLED} | _unnamed(had, has))


def _unnamed(had: Settings, has: Settings) -> set[str]:
    """Return the inbounds that lose a REALITY server name, which links contain."""
    fields = (field for field in had if field in has and field.endswith(".serverNames"))
    lost = (f for f in fields if set(json.loads(had[f])) - set(json.loads(has[f])))
    return {field.split(".")[1] for field in lost if field.startswith("inbounds.")}


def _changes(had: Settings, has: Settings) -> Iterator[str]:
    before, after = _members(had), _members(has)
    for field in sorted(had.keys() | has.keys()):
        if had.get(field) == has.get(field):
            continue
        member = _member(field)
        if member and member not in before:
            yield f"{member} is new"
        elif member and member not in after:
            yield f"{member} goes"
        else:
            yield _change(field, had.get(field), has.get(field))


def _members(settings: Settings) -> set[str]:
    return {member for field in settings if (member := _member(field))}


def _member(field: str) -> str:
    """Return the inbound or outbound of *field*, such as ``inbounds.ws``; empty if it has none."""
    part, _, rest = field.partition(".")
    return f"{part}.{rest.split('.')[0]}" if part in PARTS else ""


def _change(field: str, had: str | None, has: str | None) -> str:
    if any(value and value.startswith(UNNAMED) for value in (had, has)):
        return f"{field} is another"
    return f"{field}: {_shown(had)} -> {_shown(has)}"


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    text = value.strip('"')
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
