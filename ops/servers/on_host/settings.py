"""The settings of a config by field, without users and secrets, to show how they change.

A value appears only if its field is known to contain no secret. Others are fingerprints.
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
"""Names of fields that contain no secret."""
LONGEST = 1000
"""The most characters of a shown value."""
UNNAMED = "#"
"""The first character of a fingerprint."""


def of(config: dict[str, Any]) -> dict[str, str]:
    """Return the values of *config* by field, such as ``inbounds.reality.port``."""
    inbounds = config.get("inbounds", [])
    bare = {**config, "inbounds": [only(one, []) if has_users(one) else one for one in inbounds]}
    return dict(_fields("", "", bare))


def _fields(place: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for field, inner in value.items():
            yield from _fields(f"{place}.{field}" if place else field, field, inner)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for number, one in enumerate(value):
            label = one.get("tag", number) if isinstance(one, dict) else number
            yield from _fields(f"{place}.{label}", name, one)
    else:
        text = json.dumps(value)
        shown = name in SHOWN and len(text) <= LONGEST
        yield place, text if shown else UNNAMED + fingerprint(text)
