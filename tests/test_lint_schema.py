"""The table of Xray's keys, held against the real core: what it knows it refuses in a wrong type.

The core says nothing of a key that it does not know, and decodes one that it does. So every key of
every object is given a value that cannot be right, with all others left out, and the core asked.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.config.core.chosen import choose
from ops.config.core.trial import Bench, bench
from ops.config.lint.schema import NEWEST, Field, fields_of, protocols, settings_of
from ops.config.lint.walk import Walk, mistyped

Wrap = Callable[[dict[str, Any]], dict[str, Any]]

BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    ("config", "inbounds"): {"protocol": "vless", "port": 1, "settings": {"decryption": "none"}},
    ("config", "outbounds"): {"protocol": "freedom"},
    ("stream", "tlsSettings"): {"security": "tls"},
    ("stream", "realitySettings"): {"security": "reality"},
    ("routing", "rules"): {"outboundTag": "a", "port": 1},
    ("routing", "balancers"): {"tag": "b", "selector": ["a"]},
    ("balancer", "strategy"): {"type": "leastload"},
    ("raw", "header"): {"type": "http"},
}
"""What an object needs in it so that the core reads it at all, by its holder and key."""
PLAIN = {"text", "texts", "number", "any", "range"}
IN_HOLDER = {"tlsSettings", "realitySettings"}
"""For these it stands beside the object."""
OF_UDP = {"mkcp-legacy", "noise", "salamander", "xdns", "xicmp", "realm"}
UNSEEN = {
    ("inbound", "settings"),
    ("outbound", "settings"),
    ("outbound", "proxySettings"),  # refused as soon as it is there
    ("mask", "settings"),
    ("strategy", "settings"),
    ("raw-header", "request"),
    ("raw-header", "response"),
    ("proxy", "tag"),
    ("proxy", "transportLayer"),
    ("config", "stats"),
    ("mask-header", "mode"),  # of UDP only, and the way is TCP's
}
"""Keys that the core keeps unread until something else is right, or reads in any type."""


@dataclass(frozen=True)
class Object:
    """An object of the table, and how to make a config that holds it."""

    name: str
    wrap: Wrap


def objects() -> list[Object]:
    """Return every object that a path leads to, each once."""
    found = {"config": Object("config", lambda inner: inner)}
    waiting = ["config"]
    while waiting:
        holder = found[waiting.pop(0)]
        for field in fields_of(holder.name).values():
            for name, made in _below(holder, field):
                if name not in found and not field.until:
                    found[name] = made
                    waiting.append(name)
    return list(found.values())


def _below(holder: Object, field: Field) -> Iterator[tuple[str, Object]]:
    kind = field.type
    if kind.endswith("-*}"):
        side = kind[1:-3]
        for protocol in protocols(side):
            name = settings_of(side, protocol)
            assert name
            said: dict[str, Any] = {"type" if side == "mask" else "protocol": protocol, "port": 1}
            made = _with(holder, _as_settings(said))
            yield name, Object(name, made if protocol not in OF_UDP else _by_udp(made))
    elif kind[0] in "{[<" and kind[1:-1] not in PLAIN:
        beside = BESIDE.get((holder.name, field.name), {})
        yield kind[1:-1], Object(kind[1:-1], _with(holder, lambda x: _put(kind, field, beside, x)))


def _as_settings(beside: dict[str, Any]) -> Wrap:
    return lambda inner: {**beside, "settings": inner}


def _by_udp(wrap: Wrap) -> Wrap:
    """A mask is for TCP or for UDP; the way to it that was found first is TCP's."""

    def wrapped(inner: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(json.dumps(wrap(inner)).replace('"tcp":', '"udp":'))
        return made

    return wrapped


def _put(kind: str, field: Field, beside: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    if field.name in IN_HOLDER:
        return {**beside, field.name: inner}
    value: Any = {**beside, **inner}
    if kind[0] != "{":
        value = [value] if kind[0] == "[" else {"0": value}
    return {field.name: value}


def _with(holder: Object, put: Wrap) -> Wrap:
    return lambda inner: holder.wrap(put(inner))


def wrong(kind: str) -> Any:
    """Return a value that nothing of *kind* can be."""
    return 1.5 if kind[0] in "{[<" or kind == "texts" else {}


def unknown_to(there: Bench, thing: Object) -> list[str]:
    """Return the fields of *thing* that the core shows no sign of knowing."""
    plain = there.test([("x", thing.wrap({}))])
    found = []
    for field in fields_of(thing.name).values():
        if not field.until and field.type != "any" and (thing.name, field.name) not in UNSEEN:
            verdict = there.test([("x", thing.wrap({field.name: wrong(field.type)}))])
            if verdict == plain:
                found.append(f"{thing.name}.{field.name}")
    return found


def test_every_object_is_led_to() -> None:
    assert len(objects()) > 90


def test_a_wrong_type_is_known_for_one() -> None:
    walk = Walk()
    walk.config({"policy": {"levels": {"0": {"statsUserUplink": "yes"}}}, "inbounds": 1})
    assert [odd.path for odd in mistyped(walk.odd)] == [
        ("policy", "levels", "0", "statsUserUplink"),
        ("inbounds",),
    ]


@pytest.mark.lab
def test_the_core_knows_every_key_of_the_table(core: Path) -> None:
    chosen = choose(None, core)
    assert chosen
    assert chosen.version == ".".join(map(str, NEWEST))
    with bench(chosen) as there, ThreadPoolExecutor(4) as pool:
        unknown = [
            name for names in pool.map(lambda o: unknown_to(there, o), objects()) for name in names
        ]
    assert ", ".join(unknown) == ""
