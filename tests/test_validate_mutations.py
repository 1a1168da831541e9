"""Good configs, broken at random: what the core refuses is named, what it passes over is found.

The real core judges each. Whether what it accepts still counts and guards is asked of a judge of
its own here, that shares nothing with the rules: :class:`Judge`.
"""

import copy
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.config.core.chosen import choose
from ops.config.core.trial import Verdict, bench
from ops.config.lint import WARNING, judge
from ops.config.lint.core_errors import blame
from tests import configs
from tests.configs import ours

SAME: dict[Any, tuple[Any, ...]] = {}
"""Parts that a mutation of another one may rightly be told at."""
Place = tuple[Any, ...]


@dataclass(frozen=True)
class Mutation:
    """One thing done to a config."""

    what: str
    path: Place
    data: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.what} {'.'.join(map(str, self.path))}"


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for name, entry in entries:
        yield (*path, name)
        if isinstance(entry, dict | list):
            yield from places(entry, (*path, name))


def at(data: Any, path: Place) -> Any:
    for part in path:
        data = data[part]
    return data


def mutated(good: dict[str, Any], chance: random.Random) -> Mutation:
    data = copy.deepcopy(good)
    every = list(places(data))
    # Lists of networks are most of a config, and one entry is as good as another.
    path = chance.choice([p for p in every if "ip" not in p[:-1] or chance.random() < 0.02])
    holder, last = at(data, path[:-1]), path[-1]
    what = chance.choice(["drop", "rename", "retype", "swap"])
    if what == "drop":
        del holder[last]
    elif what == "rename" and isinstance(holder, dict):
        name = f"{last}x" if chance.random() < 0.5 else last[:-1]
        data_at = {(name if key == last else key): value for key, value in holder.items()}
        holder.clear()
        holder.update(data_at)
    elif what == "retype":
        odd = [7, "seven", True, [], {}, None, [{}], "", -1, 70000]
        holder[last] = chance.choice(
            [value for value in odd if type(value) is not type(holder[last])]
        )
    else:
        other = at(data, chance.choice(every))
        what, holder[last] = "swap", copy.deepcopy(other)
    return Mutation(what, path, data)


class Judge:
    """Whether a config that the core accepts counts every user and guards what it should."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @property
    def is_sound(self) -> bool:
        return self.counts and self.can_be_asked and self.knows_users and self.guards

    def get(self, *path: str) -> Any:
        found: Any = self.data
        for name in path:
            if not isinstance(found, dict):
                return None
            found = next((v for k, v in found.items() if k.lower() == name.lower()), None)
        return found

    @property
    def doors(self) -> list[dict[str, Any]]:
        proxies = ("vless", "trojan", "shadowsocks", "vmess", "hysteria", "wireguard")
        return [door for door in self.get("inbounds") or [] if door.get("protocol") in proxies]

    @property
    def counts(self) -> bool:
        level = self.get("policy", "levels", "0") or {}
        both = level.get("statsUserUplink") is True and level.get("statsUserDownlink") is True
        return self.get("stats") is not None and both

    @property
    def can_be_asked(self) -> bool:
        services = [str(name).lower() for name in self.get("api", "services") or []]
        return "statsservice" in services and (self._listens() or self._is_routed())

    def _listens(self) -> bool:
        listen = str(self.get("api", "listen") or "")
        return listen.startswith(("/run/", "127.", "@"))

    def _is_routed(self) -> bool:
        rules = self.get("routing", "rules") or []
        tag = self.get("api", "tag")
        first = rules[0] if rules else {}
        names = first.get("inboundTag") or []
        doors = [d for d in self.get("inbounds") or [] if d.get("tag") in names]
        right = [
            d
            for d in doors
            if d.get("listen") == "127.0.0.1" and d.get("protocol") == "dokodemo-door"
        ]
        return (
            bool(right)
            and first.get("outboundTag") == tag
            and set(first) <= {"type", "inboundTag", "outboundTag"}
        )

    @property
    def knows_users(self) -> bool:
        users = [
            user
            for door in self.doors
            for user in (door.get("settings") or {}).get("clients") or []
        ]
        named = all(user.get("email") and ">" not in user["email"] for user in users)
        return named and all((user.get("level") or 0) == 0 for user in users)

    @property
    def guards(self) -> bool:
        exits = [o for o in self.get("outbounds") or [] if o.get("protocol") == "freedom"]
        first = (self.get("outbounds") or [{}])[0]
        return bool(exits) and first in exits and self._blocks(first)

    def _blocks(self, way: dict[str, Any]) -> bool:
        finals = (way.get("settings") or {}).get("finalRules") or []
        # The core itself blocks private addresses, not the server's own.
        return bool(finals) and finals[0].get("action") == "block" and self._covers(finals[0])

    @staticmethod
    def _covers(rule: dict[str, Any]) -> bool:
        return f"{configs.OWN}/32" in (rule.get("ip") or []) or rule.get("ip") in (None, [])


def mutations(folder: Path, each: int, seed: int) -> list[Mutation]:
    chance = random.Random(seed)  # noqa: S311
    goods = [configs.rendered(folder / "a"), configs.rendered(folder / "b", "inbound")]
    return [mutated(good, chance) for good in goods for _ in range(each)]


def verdicts_of(core: Path, every: list[Mutation]) -> list[Verdict]:
    chosen = choose(None, core)
    assert chosen
    with bench(chosen) as there, ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda mutation: there.test([("x", mutation.data)]), every))


def findings(data: dict[str, Any]) -> set[str]:
    hits = judge(copy.deepcopy(data), ours())
    graded = [(r.code, r.severity if h.severity is None else h.severity) for r, h in hits]
    return {code for code, severity in graded if severity >= WARNING}


@pytest.mark.parametrize(
    ("each", "seed"), [(25, 1), pytest.param(300, 20261122, marks=pytest.mark.lab)]
)
def test_what_is_broken_is_found(tmp_path: Path, core: Path, each: int, seed: int) -> None:
    every = mutations(tmp_path, each, seed)
    lost, missed, refused = [], [], 0
    for mutation, verdict in zip(every, verdicts_of(core, every), strict=True):
        if not verdict.accepted:
            refused += 1
            path = blame(verdict.message, mutation.data)
            if not path or path[0] not in (mutation.path[0], *SAME.get(mutation.path[0], ())):
                lost.append(f"{mutation}: {path}: {verdict.message}")
        elif not Judge(mutation.data).is_sound and not findings(mutation.data):
            missed.append(str(mutation))
    assert (lost, missed) == ([], [])
    assert refused > len(every) / 5
