"""The swap: a host brings itself from one set to another, or stays as it is.

It runs in a transient unit of its own, not under ssh: a lost connection changes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ops.model import layout
from ops.servers.on_host import (
    accounts,
    belonging,
    certificates,
    core,
    files,
    health,
    hot_users,
    leftovers,
    order,
    places,
    readings,
    releases,
    service,
    transaction,
    tuning,
    users,
)
from ops.servers.on_host.failure import RolloutError, told
from ops.servers.on_host.parcel import Parcel
from ops.servers.on_host.state import digest, disk

Say = Callable[[str], None]


class Swap:
    """One set on its way into place; its steps, in order, are :attr:`STEPS`."""

    STEPS = (
        "look",
        "accounts",
        "release",
        "certificates",
        "stage",
        "test",
        "reading",
        "journal",
        "switch",
        "activate",
        "prove",
        "record",
    )

    def __init__(self, parcel: Parcel, say: Say) -> None:
        self.parcel = parcel
        self.order = parcel.order
        self.say = say
        self.config: dict[str, Any] = json.loads(self._config())
        self.before = belonging.runs()

    def run(self) -> None:
        """Take every step; a failure leaves what was there before."""
        for step in self.STEPS:
            try:
                getattr(self, step)()
            except (RolloutError, OSError, ValueError) as error:
                raise RolloutError(f"{step}: {told(error)}; {go_back(self.order.paths)}") from error
            drill(step)

    def look(self) -> None:
        """Refuse if the host is no longer what the plan was made for."""
        if digest(disk()) != self.order.planned_on:
            raise RolloutError("the host changed since it was looked at: run again")
        unfinished = transaction.journal()
        if unfinished:
            self.say(f"took back what {unfinished.get('who', 'somebody')} left unfinished")
            put_back(unfinished)

    def accounts(self) -> None:
        """Have the core's user and groups."""
        accounts.make(self.order.api_users)

    def release(self) -> None:
        """Have the core's program, beside the one in use."""
        files.folder(places.CONFIG_FOLDER, 0o750, layout.USER)
        if releases.install(self.order.core, self.parcel.folder):
            self.say(f"core {self.order.core['version']} installed")

    def certificates(self) -> None:
        """Copy the host's certificates to where the core may read them."""
        certificates.copy(self.order.certificates)

    def stage(self) -> None:
        """Write all that will be swapped beside what it replaces."""
        for path, (mode, group) in self.order.files.items():
            transaction.stage_file(path, self.parcel.content(path), mode, group)
        for path, target in self.order.links.items():
            transaction.stage_link(path, target)

    def test(self) -> None:
        """Have the very core that will run it build the new config."""
        staged = layout.CONFIG + transaction.NEW
        config = staged if files.at(staged).exists() else layout.CONFIG
        try:
            core.test(config, releases.folder_of(self.order.core["sha256"]))
        except RolloutError as error:
            raise RolloutError(service.masked(str(error), self.config)) from None

    def reading(self) -> None:
        """Read the counters that a restart ends; the stop hook reads once more."""
        if self.order.how == order.RESTART and service.Service().runs:
            try:
                readings.take("minute")
            except (RolloutError, ValueError) as error:
                self.say(f"warning: no reading before the restart: {error}")

    def journal(self) -> None:
        """Note how to go back."""
        active = service.Service().active in ("active", "activating", "reloading")
        notes = {"who": self.order.who, "how": self.order.how, "set": self.parcel.folder.name}
        transaction.begin(self.order.paths, **notes, active=active, touched=False)

    def switch(self) -> None:
        """Rename everything into place."""
        for path in self.order.paths:
            transaction.switch(path)
            drill(f"switch {path}")

    def activate(self) -> None:
        """Have the core take it up."""
        transaction.note(touched=True)
        if self.order.how == order.HOT:
            hot_users.reconcile(self.config)
        elif self.order.how != order.RECORD:
            service.settle()
        if self.order.how == order.RESTART:
            service.restart()
        if places.SYSCTL in self.order.files:
            tuning.apply(self.say)

    def prove(self) -> None:
        """Prove the service healthy; users that did not go in live get a restart."""
        try:
            health.prove(self.config, restarted=self.order.how == order.RESTART)
        except RolloutError as error:
            if self.order.how != order.HOT:
                raise
            self.say(f"warning: restarted, for the core did not take its users live: {error}")
            service.restart()
            health.prove(self.config, restarted=True)
        serving = users.of_config(self.config)
        everybody = {name for named in serving.values() for name in named} - {layout.NOBODY}
        self.say(f"healthy: {_count(everybody, 'user')} on {_count(serving, 'inbound')}")

    def record(self) -> None:
        """Remember what was applied, and make it final."""
        record = {**self.order.record, "when": _now()}
        files.write(places.RECORD, json.dumps(record, indent=1).encode())
        belonging.claim(str(self.order.record.get("fleet", "")), self.before)
        transaction.commit(self.order.paths)
        before = str(self.order.core.get("before", ""))
        releases.prune(self.order.core["sha256"], before)

    def _config(self) -> bytes:
        if layout.CONFIG in self.order.files:
            return self.parcel.content(layout.CONFIG)
        return files.at(layout.CONFIG).read_bytes()


def go_back(paths: list[str]) -> str:
    """Return to the set before, if it was left at all, and say what serves now."""
    transaction.unstage(paths)
    unfinished = transaction.journal()
    if not unfinished:
        return "nothing was changed"
    try:
        return put_back(unfinished)
    except (RolloutError, OSError, ValueError) as error:
        return f"and the set before did not come back either: {told(error)}"


def put_back(journal: dict[str, Any]) -> str:
    """Put back what *journal* tells, have it running again, and say so."""
    transaction.undo(journal)
    before = service.live_config()
    if journal["touched"]:
        _run_again(journal, before)
    files.at(places.JOURNAL).unlink(missing_ok=True)
    if not journal["touched"]:
        return "nothing was changed"
    if not journal["active"]:
        return "no core ran before, and none runs now"
    return "the set before is back and serves"


def _run_again(journal: dict[str, Any], before: dict[str, Any]) -> None:
    if journal["how"] == order.HOT:
        try:
            hot_users.reconcile(before)
            health.prove(before, restarted=False)
        except RolloutError:
            service.restart()
            health.prove(before, restarted=True)
    elif journal["active"]:
        service.settle()
        if journal["how"] == order.RESTART:
            service.restart()
            _serves_again(before)
    else:
        service.end()


def _serves_again(before: dict[str, Any]) -> None:
    """Prove the set before; a service that was not ours need only run."""
    if before:
        health.prove(before, restarted=True)
    elif not service.Service().runs:
        raise RolloutError("the service that was here before does not run")


def drill(step: str) -> None:
    """End at once, as if killed, if somebody practises that here."""
    if files.at(places.DRILL).exists() and files.at(places.DRILL).read_text().strip() == step:
        files.at(places.DRILL).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def sweep(folder: Path) -> None:
    """Remove *folder*, with the secrets in it, and others that a power cut left."""
    shutil.rmtree(folder, ignore_errors=True)
    leftovers.sweep()


def _count(things: Collection[object], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
