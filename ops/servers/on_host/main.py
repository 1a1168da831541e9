"""The commands of this program on a host."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ops.servers.on_host.failure import RolloutError, sentence


def main(words: list[str], archive: str = "") -> int:
    """Run the command *words*, and return its exit status: 1 after a failure.

    *archive* is the path of this program, which may contain an order.
    """
    verb = VERBS[words[0]]
    try:
        return verb(words[1:], archive)
    except (RolloutError, OSError, ValueError) as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1


def _state(words: list[str], archive: str) -> int:
    """Print the state of the host as JSON on one line."""
    from ops.servers.on_host import leftovers, places, state

    leftovers.sweep()
    sys.stdout.write(f"\n{places.ANSWER}{json.dumps(state.gather()._asdict())}\n")
    return 0


def _apply(words: list[str], archive: str) -> int:
    """Carry out the order in *archive* in a unit of its own, and wait for it."""
    from ops.servers.on_host import launcher

    return launcher.start(Path(archive))


def _swap(words: list[str], archive: str) -> int:
    """Carry out the order in *archive* in this process."""
    from ops.servers.on_host import launcher

    return launcher.carry_out(Path(archive))


def _finish(words: list[str], archive: str) -> int:
    """Clean up after the end of a swap."""
    from ops.servers.on_host import launcher

    return launcher.finish(Path(archive))


def _recover(words: list[str], archive: str) -> int:
    """Undo a swap that a power cut interrupted."""
    from ops.servers.on_host import launcher

    return launcher.recover()


def _begin(words: list[str], archive: str) -> int:
    """Save the begin of a run, before its core starts."""
    from ops.servers.on_host import readings

    readings.prune(readings.begin())
    return 0


def _stop(words: list[str], archive: str) -> int:
    """Save the last reading of a run, while its core still answers."""
    from ops.servers.on_host import drain, readings

    if "--drain" in words:
        drain.drain()
    readings.take("last")
    return 0


def _minute(words: list[str], archive: str) -> int:
    """Save a reading, and copy renewed certificates. The timer runs this every minute."""
    from ops.servers.on_host import leftovers, readings
    from ops.servers.on_host.certificates import copy, sources

    leftovers.sweep()
    paths = sources()
    if paths:
        copy(paths)
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
