"""Take the core off a host. Its readings stay."""

from __future__ import annotations

import json
import shutil
import time

from ops.model import layout
from ops.servers.on_host import files, places, readings, service, swap, transaction
from ops.servers.on_host.failure import RolloutError, sentence
from ops.servers.on_host.order import Order
from ops.servers.on_host.state import digest, disk


def remove(order: Order, say: swap.Say) -> None:
    """Save a last reading, stop the core, and remove everything but the readings.

    On a host without a core this does nothing. RolloutError if the host changed since the plan.
    """
    if digest(disk()) != order.planned_on:
        raise RolloutError("the host changed since the plan: run again")
    _read_last(say)
    service.end()
    for path in places.OURS:
        for suffix in ("", transaction.NEW, transaction.OLD):
            files.at(path + suffix).unlink(missing_ok=True)
    for folder in (places.CONFIG_FOLDER, layout.CORES):
        shutil.rmtree(files.at(folder), ignore_errors=True)
    files.at(places.JOURNAL).unlink(missing_ok=True)
    service.forget()
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    files.write(places.RECORD, json.dumps({**order.record, "when": when}).encode())
    say(f"removed; readings stay in {layout.READINGS}")


def _read_last(say: swap.Say) -> None:
    """Save a reading. The stop hook does so, too, but it may be old or broken."""
    if not service.Service().runs:
        return
    try:
        readings.take("minute")
    except (RolloutError, OSError, ValueError) as error:
        say(f"warning: no reading before the end: {sentence(error)}")
