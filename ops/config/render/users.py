"""Read the users out of a config, also of one that an older version rendered."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

_LISTS = ("clients", "users", "accounts")
"""Names of the list of users in the settings of an inbound; a fleet's template may use any."""


class User(NamedTuple):
    """One user of one inbound. Its repr holds no secret."""

    inbound: str
    name: str
    id: str
    """The secret of the user: UUID, password or PSK."""

    def __repr__(self) -> str:
        return f"User({self.inbound!r}, {self.name!r})"


def users(text: str) -> tuple[User, ...]:
    """Return the users of the config in the JSON *text*, in its order."""
    return tuple(
        User(inbound["tag"], entry["email"], entry.get("id") or entry.get("password", ""))
        for inbound in json.loads(text)["inbounds"]
        for entry in _entries(inbound)
    )


def _entries(inbound: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _LISTS:
        yield from inbound.get("settings", {}).get(name, ())
