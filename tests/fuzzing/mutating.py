"""True answers made wrong: at random, and by what is known to hurt."""

import copy
import json
from random import Random
from typing import Any

NASTY: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 1.5, 1e300),
    *(float("inf"), float("-inf"), float("nan"), "", " ", "0", "-1", "1e5", "1_0", "\u0665"),
    *("9" * 5000, "x" * 100_000, "\x1b[2J\x1b]0;x\x07", "\u202egpj", "\u2028", "\ud800", "\x00"),
    *("=1+1", "~", "~nobody", "run-", "a>>>b", "\n= x.last.json\n{}", [], {}, [[]], [1], {"a": {}}),
    *("2026-13-45", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-25"),
)
TOKENS = (
    *(b"\n", b" ", b'"', b"{", b"[" * 5000, b"Infinity", b"NaN", b"-1", b"9" * 5000, b"\xff\xfe"),
    *(b"\x1b[2J", b"boot\n", b"end\n", b"file 1 nan a.last.json\n", b"= \n", b"null", b"\x00"),
    *(b"card hardware 1\n", b"clock x\n", b"\xed\xa0\x80", b"1e999", b"Tcp: \n", b"log x y z\n"),
)


def mangled(rng: Random, data: bytes) -> bytes:
    """Return *data* with a few bytes changed, lost, doubled or put in."""
    held = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        at = rng.randrange(len(held) + 1)
        end = min(len(held), at + rng.choice((1, 1, 2, 8, 100)))
        how = rng.randrange(6)
        if how == 0 and held:
            held[at % len(held)] = rng.randrange(256)
        elif how == 1:
            del held[at:end]
        elif how == 2:
            held[at:at] = held[at:end] * rng.choice((1, 2, 50))
        elif how == 3:
            held[at:at] = rng.choice(TOKENS)
        elif how == 4:
            held[at:at] = rng.randbytes(rng.choice((1, 4, 64)))
        elif rng.random() < 0.3:
            del held[at:]
    return bytes(held)


def changed(rng: Random, value: Any) -> Any:
    """Return *value*, as JSON has it, with one or a few of its parts being something else."""
    root = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(root))
        holder, key = rng.choice(places)
        how = rng.randrange(10)
        if how < 6:
            holder[key] = copy.deepcopy(rng.choice(NASTY))
        elif how == 6:
            holder[key] = copy.deepcopy(rng.choice(places)[0])
        elif how == 7 and isinstance(holder, dict):
            holder[str(rng.choice(NASTY))[:300]] = holder.pop(key)
        elif how == 8 and holder is not root:
            del holder[key]
        elif isinstance(holder, list) and holder is not root:
            holder += holder[: rng.choice((1, 3))]
    return root[0] if root else None


def _places(root: Any) -> Any:
    """Yield each container in *root* with each of its keys."""
    waiting = [root]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def json_bytes(rng: Random, value: Any) -> bytes:
    """Return *value* as JSON that is true, changed, mangled or nothing of the kind."""
    how = rng.random()
    if how < 0.3:
        return json.dumps(value).encode()
    if how < 0.75:
        return _dumped(changed(rng, value))
    if how < 0.95:
        return mangled(rng, json.dumps(value, indent=rng.choice((None, 2))).encode())
    return rng.choice((rng.randbytes(rng.randrange(300)), b"[" * 100_000, b'{"stat":' * 20_000))


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
