"""Start a swap in a systemd unit of its own, wait for it, and print its result over ssh."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops.servers.on_host import (
    absent,
    leftovers,
    lock,
    order,
    places,
    rollback,
    swap,
    transaction,
)
from ops.servers.on_host.failure import RolloutError, sentence
from ops.servers.on_host.files import at
from ops.servers.on_host.parcel import Parcel
from ops.servers.on_host.programs import last_line, run

LONGEST = 1800.0
"""Seconds to wait for a swap. The download of a core may take long."""
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy")
"""Environment variables that the swap gets."""


def start(archive: Path) -> int:
    """Run the swap of *archive* in a unit, and print its log. Return its exit status."""
    program = [sys.executable, "-I", str(archive)]
    log = archive.parent / "log"
    done = run([*_systemd_run(program, log), *program, "swap"], LONGEST)
    report = log.read_text() if log.exists() else f"{last_line(done)}\n"
    # Printing fails after a lost connection, so the secrets in the folder are removed first.
    shutil.rmtree(archive.parent, ignore_errors=True)
    leftovers.sweep()
    (sys.stderr if done.returncode else sys.stdout).write(report)
    return done.returncode


def _systemd_run(program: list[str], log: Path) -> Iterator[str]:
    """Yield the command for a unit that outlives ssh, and runs `finish` even after a kill."""
    finish = " ".join([*program, "finish"])
    unit = f"{places.TRANSIENT}-{log.parent.suffix[1:]}"  # only the lock keeps rivals out
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
    """Carry out the order in *archive* under the lock. Return the exit status."""
    parcel = Parcel(archive)
    try:
        with lock.held(parcel.order.who):
            if parcel.order.how == order.ABSENT:
                absent.remove(parcel.order, _say)
            else:
                swap.Swap(parcel, _say).run()
    except (RolloutError, OSError, ValueError) as error:
        _say(sentence(error))
        return 1
    return 0


def finish(archive: Path) -> int:
    """After the end of the swap of *archive*, put the old set back if it was killed."""
    if _unfinished(archive):
        with lock.held("the host itself", patience=30):
            journal = _unfinished(archive)  # empty if the next rollout was quicker
            if journal:
                _say(f"the rollout was killed; {rollback.put_back(journal)}")
    return 0


def _unfinished(archive: Path) -> dict[str, Any]:
    """Return the journal if it is of the swap of *archive*, and not of another one."""
    journal = transaction.journal() or {}
    return journal if journal.get("set") == archive.parent.name else {}


def recover() -> int:
    """Undo a swap that a power cut interrupted. This runs at boot, before the core starts."""
    unfinished = transaction.journal()
    if unfinished:
        transaction.undo(unfinished)
        at(places.JOURNAL).unlink()
        run(["systemctl", "daemon-reload"])
    return 0


def _say(text: str) -> None:
    """Print *text* to the log that ssh shows, and to the journal of systemd."""
    for out in (sys.stdout, sys.stderr):
        out.write(f"{text}\n")
        out.flush()
