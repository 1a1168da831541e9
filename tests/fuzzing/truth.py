"""What a host truly says, and what an answer of it means: written without the code under test."""

import json
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from ops.model.visible import visible

Users = dict[str, tuple[int, int]]
ENDS = {">>>traffic>>>uplink": 0, ">>>traffic>>>downlink": 1}
NAMES = ("alice", "bob", "alice~2", "eve@example.com", "~nobody", "имя", "a>>>b")


def counters(rng: Random, run: str) -> dict[str, int]:
    """Return the counters of a core in *run*."""
    found = {
        "inbound>>>ss>>>traffic>>>uplink": rng.randrange(10**9),
        "inbound>>>ss>>>traffic>>>downlink": rng.randrange(10**12),
        "outbound>>>direct>>>traffic>>>uplink": rng.randrange(10**9),
        f"outbound>>>run-{run}>>>traffic>>>uplink": 0,
    }
    for name in rng.sample(NAMES, rng.randrange(1, len(NAMES))):
        for end in ENDS:
            if rng.random() < 0.9:
                found[f"user>>>{name}{end}"] = rng.randrange(10**12)
    return found


def printout(held: Mapping[str, int]) -> dict[str, Any]:
    """Return *held* as the core prints it."""
    return {"stat": [{"name": n, "value": v} if v else {"name": n} for n, v in held.items()]}


def users_of(pairs: Iterable[tuple[str, int]]) -> Users:
    """Return what *pairs* say of users."""
    found: dict[str, list[int]] = {}
    for name, value in pairs:
        for end, direction in ENDS.items():
            if name.startswith("user>>>") and name.endswith(end) and len(name) >= len(end) + 7:
                user = visible(name[len("user>>>") : -len(end)])
                found.setdefault(user, [0, 0])[direction] = int(value)
    return {user: (up, down) for user, (up, down) in found.items()}


def users_printed(reply: Any) -> Users:
    """Return what a printout says of users; it was accepted, so it has the form of one."""
    return users_of((stat["name"], int(stat.get("value", 0))) for stat in reply.get("stat", []))


def first_json(text: str) -> Any:
    """Return the JSON value that *text* begins with."""
    return json.JSONDecoder().raw_decode(text.strip())[0]
