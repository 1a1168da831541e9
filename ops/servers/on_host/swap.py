"""Swap the whole set of this host for a new one, or leave the host as it was.

The swap runs in a transient unit of its own, not under ssh, so a lost connection does no harm.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Collection
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
    order,
    places,
    readings,
    releases,
    rollback,
    service,
    transaction,
    tuning,
    users,
)
from ops.servers.on_host.failure import RolloutError, sentence
from ops.servers.on_host.parcel import Parcel
from ops.servers.on_host.state import digest, disk

Say = Callable[[str], None]
"""Prints one sentence for the operator."""


class Swap:
    """The swap that a parcel orders. :attr:`STEPS` has its steps in their order."""

    def __init__(self, parcel: Parcel, say: Say) -> None:
        self.parcel = parcel
        self.order = parcel.order
        self.say = say
        self.config: dict[str, Any] = json.loads(self._config())
        self.runs_before = belonging.runs()

    def run(self) -> None:
        """Take every step. After a failure, go back to the old set and raise RolloutError."""
        for step in self.STEPS:
            name = step.__name__
            try:
                step(self)
            except (RolloutError, OSError, ValueError) as error:
                outcome = rollback.go_back(self.order.paths)
                raise RolloutError(f"{name}: {sentence(error)}; {outcome}") from error
            drill(name)

    def look(self) -> None:
        """Refuse if the host changed since the plan. Undo an unfinished rollout."""
        if digest(disk()) != self.order.planned_on:
            raise RolloutError("the host changed since the plan: run again")
        unfinished = transaction.journal()
        if unfinished:
            self.say(f"undid the unfinished rollout of {unfinished.get('who', 'somebody')}")
            rollback.put_back(unfinished)

    def accounts(self) -> None:
        """Create the user and groups of the core if they are missing."""
        accounts.make(self.order.api_users)

    def release(self) -> None:
        """Install the core's release beside the one in use."""
        files.folder(places.CONFIG_FOLDER, 0o750, layout.USER)
        if releases.install(self.order.core, self.parcel.folder):
            self.say(f"core {self.order.core['version']} installed")

    def certificates(self) -> None:
        """Copy the certificates of the host to a folder that the core may read."""
        certificates.copy(self.order.certificates)

    def stage(self) -> None:
        """Write each new file and link beside the one that it replaces."""
        for path, (mode, group) in self.order.files.items():
            transaction.stage_file(path, self.parcel.content(path), mode, group)
        for path, target in self.order.links.items():
            transaction.stage_link(path, target)

    def test(self) -> None:
        """Test the new config with the core of the new set."""
        staged = layout.CONFIG + transaction.NEW
        config = staged if files.at(staged).exists() else layout.CONFIG
        try:
            core.test(config, releases.folder_of(self.order.core["sha256"]))
        except RolloutError as error:
            raise RolloutError(service.masked(str(error), self.config)) from None

    def reading(self) -> None:
        """Save a reading before a restart. The stop hook of the unit saves the last one."""
        if self.order.how == order.RESTART and service.Service().runs:
            try:
                readings.take("minute")
            except (RolloutError, ValueError) as error:
                self.say(f"warning: no reading before the restart: {error}")

    def journal(self) -> None:
        """Write the journal, which describes the way back."""
        active = service.Service().active in ("active", "activating", "reloading")
        notes = {"who": self.order.who, "how": self.order.how, "set": self.parcel.folder.name}
        transaction.begin(self.order.paths, **notes, active=active, touched=False)

    def switch(self) -> None:
        """Rename each staged file and link into place."""
        for path in self.order.paths:
            transaction.switch(path)
            drill(f"switch {path}")

    def activate(self) -> None:
        """Make systemd and the core use the new set."""
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
        """Prove that the core is healthy. Restart it if a hot change of users failed."""
        try:
            health.prove(self.config, restarted=self.order.how == order.RESTART)
        except RolloutError as error:
            if self.order.how != order.HOT:
                raise
            self.say(f"warning: the core was restarted, because a hot change failed: {error}")
            service.restart()
            health.prove(self.config, restarted=True)
        serving = users.of_config(self.config)
        everybody = {name for named in serving.values() for name in named} - {layout.NOBODY}
        self.say(f"healthy: {_count(everybody, 'user')} on {_count(serving, 'inbound')}")

    def record(self) -> None:
        """Record the new set as applied, and delete the old one."""
        record = {**self.order.record, "when": _now()}
        files.write(places.RECORD, json.dumps(record, indent=1).encode())
        belonging.claim(str(self.order.record.get("fleet", "")), self.runs_before)
        transaction.commit(self.order.paths)
        before = str(self.order.core.get("before", ""))
        releases.prune(self.order.core["sha256"], before)

    STEPS: tuple[Callable[[Swap], None], ...] = (
        look,
        accounts,
        release,
        certificates,
        stage,
        test,
        reading,
        journal,
        switch,
        activate,
        prove,
        record,
    )

    def _config(self) -> bytes:
        if layout.CONFIG in self.order.files:
            return self.parcel.content(layout.CONFIG)
        return files.at(layout.CONFIG).read_bytes()


def drill(step: str) -> None:
    """Kill this process if the operator practises a crash after *step* (`places.DRILL`)."""
    if files.at(places.DRILL).exists() and files.at(places.DRILL).read_text().strip() == step:
        files.at(places.DRILL).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _count(things: Collection[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
