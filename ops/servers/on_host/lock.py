"""The lock that allows one rollout at a time on a host, with the name of its holder."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ops.servers.on_host import places
from ops.servers.on_host.failure import RolloutError
from ops.servers.on_host.files import at


@contextmanager
def held(who: str, patience: float = 0) -> Iterator[None]:
    """Hold the lock in the name of *who*.

    RolloutError with the holder if another rollout holds it after *patience* seconds.
    """
    handle = os.open(at(places.LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + patience
        while not _try(handle):
            if time.monotonic() >= until:
                raise RolloutError(busy(holder() or {}))
            time.sleep(0.05)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"who": who, "since": _now()}).encode(), 0)
        yield
    finally:
        os.close(handle)


def holder() -> dict[str, Any] | None:
    """Return ``who`` holds the lock, and ``since`` when; None if nobody does.

    The dict is empty in the moment before the holder writes its name.
    """
    try:
        handle = os.open(at(places.LOCK), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _try(handle) else _parsed(os.pread(handle, 4096, 0))
    finally:
        os.close(handle)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        holder: dict[str, Any] = json.loads(content)
    except ValueError:  # it is being written
        return {}
    else:
        return holder


def busy(holder: dict[str, Any]) -> str:
    """Return the sentence about a lock that *holder* has.

    >>> busy({"who": "ann@desk", "since": "2026-11-22T12:00:00Z"})
    'another rollout is running here: ann@desk, since 2026-11-22T12:00:00Z; run again after it'
    """
    who, since = holder.get("who", "somebody"), holder.get("since", "just now")
    return f"another rollout is running here: {who}, since {since}; run again after it"


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
