"""Say which settings of a config change, field by field, and show no secret."""

import json
from collections.abc import Iterator, Mapping

from ops.servers.on_host.shape import UNNAMED

Shape = Mapping[str, str]
"""What :func:`ops.servers.on_host.shape.of` returns."""

MOST = 6
"""Changes that are named; more are a number."""
LONGEST = 60
"""Letters of a value that are shown."""
PARTS = ("inbounds", "outbounds")
DIALLED = ("port", "protocol", "network", "security", "path", "host", "serviceName", "method")
"""Fields of an inbound that its links hold."""


def reshaped(had: Shape, has: Shape) -> list[str]:
    """Return what sets *has* apart from *had*, in words.

    >>> reshaped({"inbounds.ws.port": "443"}, {"inbounds.ws.port": "8443"})
    ['inbounds.ws.port: 443 -> 8443']
    """
    told = list(dict.fromkeys(_told(had, has)))
    more = len(told) - MOST
    return [*told[:MOST], f"and {more} more settings"] if more > 1 else told


def redialled(had: Shape, has: Shape) -> list[str]:
    """Return the inbounds whose links must be others than before."""
    fields = (f for f in had if f in has and had[f] != has[f] and f.startswith("inbounds."))
    changed = (field.split(".") for field in fields)
    return sorted({path[1] for path in changed if path[-1] in DIALLED} | _unnamed(had, has))


def _unnamed(had: Shape, has: Shape) -> set[str]:
    """Return the inbounds that lose a server name which links hold."""
    fields = (field for field in had if field in has and field.endswith(".serverNames"))
    lost = (f for f in fields if set(json.loads(had[f])) - set(json.loads(has[f])))
    return {field.split(".")[1] for field in lost if field.startswith("inbounds.")}


def _told(had: Shape, has: Shape) -> Iterator[str]:
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


def _members(shape: Shape) -> set[str]:
    return {member for field in shape if (member := _member(field))}


def _member(field: str) -> str:
    """Return the inbound or outbound that *field* is of: ``inbounds.ws``."""
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
