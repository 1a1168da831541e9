"""An operator's ledger beside the bytes that were really sent."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from lab import Host, Moved
from lab.waiting import wait_until
from ops.ledger import Ledger, open_ledger
from ops.ledger.answers.usage import Usage
from ops.model import Traffic, layout
from tests.lab.operator import Operator

OPS = str(Path(sys.executable).parent / "ops")
API = f"{layout.CORE} api statsquery -s unix:{layout.SOCKET}"
TOLERANCE = 0.005
"""Of the payload: what the contract allows."""
SLACK = 8192
"""Bytes besides: the test's own requests, and the last one of a connection that was cut."""


@dataclass
class Accounts:
    """A ledger of the operator's fleet, and what was sent since it was looked at."""

    operator: Operator
    name: str = field(default_factory=lambda: f"{uuid4().hex}.db")
    """A new one unless it is said: tests share the folder."""
    began: datetime = datetime(2020, 1, 1, tzinfo=UTC)

    @property
    def file(self) -> Path:
        """Return where it is."""
        return self.operator.folder / "state" / self.name

    def collect(self, *words: str) -> dict[str, Any]:
        """Make one round; what came of it, with its exit code as ``code``."""
        done = subprocess.run(
            self.words(*words), **self._how(), capture_output=True, timeout=120, check=False
        )
        assert done.stdout, done.stderr
        return {**json.loads(done.stdout), "code": done.returncode}

    @contextmanager
    def collector(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """Start a collector, and go on; it is killed at the end."""
        with subprocess.Popen(self.words(*words), **self._how(), stdout=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()

    def words(self, *words: str) -> list[str]:
        """Return the words to type."""
        return [OPS, "collect", "--json", "--timeout", "30", *words]

    def _how(self) -> dict[str, Any]:
        environment = {**self.operator.variables(), "OPS_LEDGER": f"sqlite:///{self.file}"}
        return {"cwd": self.operator.folder, "env": environment, "text": True}

    def open(self) -> Ledger:
        """Open it beside the collector."""
        return open_ledger(self.file)

    def usage(self, key: str) -> Usage:
        """Return what the ledger says of *key*."""
        with self.open() as ledger:
            return ledger.usage(self.began, datetime.now(UTC) + timedelta(days=2), keys=[key])

    def used(self, key: str) -> Traffic:
        """Return the sum of it."""
        return self.usage(key).total

    @contextmanager
    def sees(self, key: str, sent: list[Moved], *, within: float = TOLERANCE) -> Iterator[None]:
        """Hold the ledger against all that is put into *sent* meanwhile, after a last round."""
        before = self.used(key)
        yield
        assert self.collect()["code"] == 0
        moved, now = sum(sent, Moved()), self.used(key)
        counted = Traffic(now.uplink - before.uplink, now.downlink - before.downlink)
        assert_same(counted, moved, within)


def assert_same(counted: Traffic, moved: Moved, within: float = TOLERANCE) -> None:
    """Compare with what the proxy carried; never more than that but for a buffer's worth."""
    for now, carried in (
        (counted.uplink, moved.carried_up),
        (counted.downlink, moved.carried_down),
    ):
        assert carried * (1 - within) <= now <= carried * (1 + TOLERANCE) + SLACK, (counted, moved)


def run_of(host: Host) -> str:
    """Return the run that is alive."""
    return host.run("systemctl show xray -p InvocationID --value").stdout.strip()


def wait_for_core(host: Host, besides: str = "") -> None:
    """Return when the API of another run than *besides* answers."""

    def answers() -> bool:
        said = host.run(f"{API} -pattern run-", check=False).stdout
        return layout.RUN_PREFIX in said and (not besides or besides not in said)

    wait_until(answers, f"the core of {host.name} answers")
