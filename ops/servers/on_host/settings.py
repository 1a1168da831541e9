"""A config less its users, field by field, so that people can be told what changes in it.

No secret is in it: the value of a field is shown only if the field is known to hold none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ops.servers.on_host.users import fingerprint, has_users, only

SHOWN = frozenset(
    (
        *("port", "listen", "tag", "protocol", "network", "security", "method", "flow"),
        *("path", "host", "serviceName", "mode", "target", "dest", "xver", "serverName"),
        *("serverNames", "alpn", "certificateFile", "keyFile", "minVersion", "maxVersion"),
        *("domainStrategy", "outboundTag", "inboundTag", "balancerTag", "ruleTag", "type"),
        *("domain", "ip", "source", "sourcePort", "enabled", "destOverride", "routeOnly"),
        *("loglevel", "access", "error", "services", "show", "acceptProxyProtocol", "sendThrough"),
    )
)
"""Fields whose values are no secrets."""
LONGEST = 1000
"""Letters of a value that can be shown."""
UNNAMED = "#"
"""The sign of a fingerprint."""


def of(config: dict[str, Any]) -> dict[str, str]:
    """Return by field, such as ``inbounds.reality.port``, what *config* has there."""
    inbounds = config.get("inbounds", [])
    bare = {**config, "inbounds": [only(one, []) if has_users(one) else one for one in inbounds]}
    return dict(_fields("", "", bare))


def _fields(place: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, held in value.items():
            yield from _fields(f"{place}.{key}" if place else key, key, held)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for number, one in enumerate(value):
            called = one.get("tag", number) if isinstance(one, dict) else number
            yield from _fields(f"{place}.{called}", name, one)
    else:
        text = json.dumps(value)
        shown = name in SHOWN and len(text) <= LONGEST
        yield place, text if shown else UNNAMED + fingerprint(text)
