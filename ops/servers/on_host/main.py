"""The verbs of this program on a host."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ops.servers.on_host.failure import RolloutError, told


def main(words: list[str], archive: str = "") -> int:
    """Do what *words* say; a failure is a sentence and exit status 1."""
    verb = VERBS[words[0]]
    try:
        return verb(words[1:], archive)
    except (RolloutError, OSError, ValueError) as error:
        sys.stderr.write(f"{told(error)}\n")
        return 1


def _state(words: list[str], archive: str) -> int:
    """Print what the host has and runs, as JSON on a line of its own."""
    from ops.servers.on_host import leftovers, places, state

    leftovers.sweep()
    sys.stdout.write(f"\n{places.ANSWER}{json.dumps(state.gather()._asdict())}\n")
    return 0


def _apply(words: list[str], archive: str) -> int:
    """Have the parcel carried out in a unit of its own, and wait."""
    from ops.servers.on_host import launcher

    return launcher.start(Path(archive))


def _swap(words: list[str], archive: str) -> int:
    """Carry the parcel out, here and now."""
    from ops.servers.on_host import launcher

    return launcher.carry_out(Path(archive))


def _finish(words: list[str], archive: str) -> int:
    """Tidy up after a swap, however it ended."""
    from ops.servers.on_host import launcher

    return launcher.finish(Path(archive))


def _recover(words: list[str], archive: str) -> int:
    """Put back what a power cut left half done."""
    from ops.servers.on_host import launcher

    return launcher.recover()


def _begin(words: list[str], archive: str) -> int:
    """Before the core starts: what will be left of it if it is killed at once."""
    from ops.servers.on_host import readings

    readings.prune(readings.begin())
    return 0


def _stop(words: list[str], archive: str) -> int:
    """The core's stop hook: the last reading, while it still answers."""
    from ops.servers.on_host import drain, readings

    if "--drain" in words:
        drain.drain()
    readings.take("last")
    return 0


def _minute(words: list[str], archive: str) -> int:
    """Every minute: a reading, and renewed certificates."""
    from ops.servers.on_host import leftovers, readings
    from ops.servers.on_host.certificates import copy, sources

    leftovers.sweep()
    held = sources()
    if held:
        copy(held)
    readings.prune(readings.take("minute"))
    return 0


VERBS = {
    "state": _state,
    "apply": _apply,
    "swap": _swap,
    "finish": _finish,
    "recover": _recover,
    "begin": _begin,
    "stop": _stop,
    "minute": _minute,
}
