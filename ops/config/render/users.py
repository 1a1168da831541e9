"""Who is in a config, rendered now or long ago."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

_LISTS = ("clients", "users", "accounts")
"""Where a kind's template, ours or an operator's, may have put its users."""


class User(NamedTuple):
    """One user of one inbound. Its repr holds no secret."""

    inbound: str
    name: str
    id: str
    """What proves the user: UUID, password or PSK."""

    def __repr__(self) -> str:
        return f"User({self.inbound!r}, {self.name!r})"


def users(text: str) -> tuple[User, ...]:
    """Return the users of the config in *text*, in its order."""
    return tuple(
        User(inbound["tag"], entry["email"], entry.get("id") or entry.get("password", ""))
        for inbound in json.loads(text)["inbounds"]
        for entry in _entries(inbound)
    )


def _entries(inbound: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _LISTS:
        yield from inbound.get("settings", {}).get(name, ())
