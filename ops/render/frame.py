"""Take a config apart: users go into a running core, whatever else changes needs a restart."""

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

_LISTS = ("clients", "users", "accounts")
"""Where a kind's template, ours or an operator's, may have put its users."""


class User(NamedTuple):
    """One user of one inbound. Its repr holds no secret."""

    inbound: str
    name: str
    id: str
    """What proves the user: UUID, password or PSK."""
    rest: str
    """Whatever else the inbound says of it (its flow), as JSON."""

    def __repr__(self) -> str:
        return f"User({self.inbound!r}, {self.name!r})"


def frame(text: str) -> dict[str, Any]:
    """Return the config in *text* without its users; equal frames need no restart."""
    return _with_users(text, lambda _: False)


def users(text: str) -> tuple[User, ...]:
    """Return the users of the config in *text*, in its order."""
    found = (
        (inbound["tag"], user) for inbound, entry in _lists(json.loads(text)) for user in entry
    )
    return tuple(_user(tag, user) for tag, user in found)


def additions(text: str, wanted: Collection[User]) -> str:
    """Return the file for ``xray api adu`` that adds the *wanted* users of the config in *text*.

    It is made of the rendered inbounds: an account of another protocol would crash the core.
    Inbounds that gain nobody are left out.
    """
    names = frozenset(wanted)
    config = _with_users(text, names.__contains__)
    gaining = {user.inbound for user in names}
    inbounds = [inbound for inbound in config["inbounds"] if inbound["tag"] in gaining]
    return json.dumps({"inbounds": inbounds}, indent=2) + "\n"


def _with_users(text: str, keep: Callable[[User], bool]) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(text)
    for inbound, entry in _lists(config):
        entry[:] = [user for user in entry if keep(_user(inbound["tag"], user))]
    return config


def _lists(config: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    for inbound in config["inbounds"]:
        for name in _LISTS:
            if name in inbound.get("settings", {}):
                yield inbound, inbound["settings"][name]


def _user(inbound: str, user: dict[str, Any]) -> User:
    rest = {name: value for name, value in user.items() if name not in ("email", "id", "password")}
    secret = user.get("id") or user.get("password") or ""
    return User(inbound, user.get("email", ""), secret, json.dumps(rest, sort_keys=True))
