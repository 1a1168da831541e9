"""Take the core off a host; what was counted stays."""

from __future__ import annotations

import json
import shutil
import time

from ops.model import layout
from ops.servers.on_host import files, places, readings, service, swap, transaction
from ops.servers.on_host.failure import RolloutError, told
from ops.servers.on_host.order import Order
from ops.servers.on_host.state import digest, disk


def remove(order: Order, say: swap.Say) -> None:
    """Stop the core after a last reading, and remove all but the readings; again does nothing."""
    if digest(disk()) != order.planned_on:
        raise RolloutError("the host changed since it was looked at: run again")
    _read_once_more(say)
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


def _read_once_more(say: swap.Say) -> None:
    """The stop hook reads too; this one is for a host whose hook is older or broken."""
    if not service.Service().runs:
        return
    try:
        readings.take("minute")
    except (RolloutError, OSError, ValueError) as error:
        say(f"warning: no reading before the end: {told(error)}")
