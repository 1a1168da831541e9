"""The ssh side of a rollout: start the swap in a unit of its own, wait, and tell how it went."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops.servers.on_host import absent, lock, order, places, swap, transaction
from ops.servers.on_host.failure import RolloutError, told
from ops.servers.on_host.files import at
from ops.servers.on_host.parcel import Parcel
from ops.servers.on_host.programs import last_words, run

LONGEST = 1800.0
"""Seconds to wait for a swap; a core may have to come over a slow line."""
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy")


def start(archive: Path) -> int:
    """Have systemd run the swap of *archive*, wait for its end, and print what it says."""
    program = [sys.executable, "-I", str(archive)]
    log = archive.parent / "log"
    done = run([*_transient(program, log), *program, "swap"], LONGEST)
    said = log.read_text() if log.exists() else f"{last_words(done)}\n"
    swap.sweep(archive.parent)  # before speaking: nobody may be there to hear it
    (sys.stderr if done.returncode else sys.stdout).write(said)
    return done.returncode


def _transient(program: list[str], log: Path) -> Iterator[str]:
    """Yield the words that start a unit which outlives the ssh session, and tidies up if killed."""
    finish = " ".join([*program, "finish"])
    unit = f"{places.TRANSIENT}-{log.parent.suffix[1:]}"  # the lock lets one in, not the name
    yield from ("systemd-run", "--quiet", "--collect", "--wait", f"--unit={unit}")
    yield f"--property=ExecStopPost={finish}"
    yield f"--property=StandardOutput=append:{log}"
    yield "--property=StandardError=journal"
    yield "--property=UMask=0077"
    for name in PASSED_ON:
        value = os.environ.get(name) or os.environ.get(name.upper())
        if value:
            yield f"--setenv={name}={value}"
    yield "--"


def carry_out(archive: Path) -> int:
    """Do what the parcel says, under the lock; what is printed goes to the log."""
    parcel = Parcel(archive)
    try:
        with lock.held(parcel.order.who):
            if parcel.order.how == order.ABSENT:
                absent.remove(parcel.order, _say)
            else:
                swap.Swap(parcel, _say).run()
    except (RolloutError, OSError, ValueError) as error:
        _say(told(error))
        return 1
    return 0


def finish(archive: Path) -> int:
    """Tidy up after the swap; if it was killed in the middle, put the old set back."""
    if _left(archive):
        with lock.held("the host itself", patience=30):
            unfinished = _left(archive)  # unless the next rollout was quicker
            if unfinished:
                _say(f"killed in the middle; {swap.put_back(unfinished)}")
    return 0


def _left(archive: Path) -> dict[str, Any]:
    """Return the journal of the swap of *archive*, and not of somebody else's."""
    unfinished = transaction.journal() or {}
    return unfinished if unfinished.get("set") == archive.parent.name else {}


def recover() -> int:
    """At boot, before the core starts: put back what a power cut left half done."""
    unfinished = transaction.journal()
    if unfinished:
        transaction.undo(unfinished)
        at(places.JOURNAL).unlink()
        run(["systemctl", "daemon-reload"])
    return 0


def _say(sentence: str) -> None:
    """Tell the ssh side, and the journal in case that is gone."""
    for out in (sys.stdout, sys.stderr):
        out.write(f"{sentence}\n")
        out.flush()
