"""What tests of every room may ask for."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import platformdirs
import pytest

from lab.core import ensure_core
from lab.errors import LabError
from lab.state import DEFAULT, VARIABLE
from ops.ledger import open_ledger
from tests.lane import Lane, laid
from tests.ledgers import Books, Clock
from tests.postgres import AbsentError, database, running

SLOW = {
    "test_api_reach.py",
    "test_lint_ways.py",
    "test_changes.py",
    "test_changes_since.py",
    "test_collecting.py",
    "test_collecting_rounds.py",
    "test_frames.py",
    "test_fuzz.py",
    "test_ledger.py",
    "test_ledger_orders.py",
    "test_ledger_postgres.py",
    "test_ledger_runs.py",
    "test_ledger_store.py",
    "test_ledger_time.py",
    "test_edges.py",
    "test_files.py",
    "test_oracle.py",
    "test_reading.py",
    "test_simulation.py",
    "test_rollout_hot.py",
    "test_sabotage.py",
    "test_starter.py",
    "test_strangers.py",
    "test_tunnel.py",
    "test_tunnel_settings.py",
    "test_usage.py",
    "test_validate.py",
    "test_validate_mutations.py",
    "test_workers.py",
    "test_values.py",
}
"""Files whose tests take seconds: they kill, wait and fill databases. `make test` runs them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the quick half quick."""
    for item in items:
        if item.path.name in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def no_fleet_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read every fleet anew, and leave the home alone: test_fleet_cache.py tests the cache."""
    monkeypatch.setattr("ops.fleet.inventory.cache.cached_fleet", lambda folder, read: read(folder))


@pytest.fixture(scope="session")
def core() -> Path:
    """The real core's program, pinned; made from its wheel if need be."""
    with pytest.MonkeyPatch.context() as patch:
        if os.geteuid() and VARIABLE not in os.environ and not os.access(DEFAULT, os.W_OK):
            patch.setenv(VARIABLE, str(platformdirs.user_cache_path("xray-ops") / "lab"))
        try:
            return ensure_core().program
        except (LabError, OSError) as error:
            pytest.skip(f"no core to test with: {error}")


@pytest.fixture(scope="session")
def lane(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """A real server on loopback with every kind of inbound, and a client of each."""
    with laid(core, tmp_path_factory.mktemp("lane")) as lane:
        yield lane


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of this test run's own; its URL."""
    try:
        with running() as url:
            yield url
    except AbsentError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """A new ledger, in each of the databases that a ledger can be in."""
    with ExitStack() as stack:
        where: str | Path = tmp_path / "state" / "ledger.db"
        if request.param == "postgres":
            server = request.getfixturevalue("postgres")
            where = stack.enter_context(database(server, f"t{uuid4().hex}"))
        clock = Clock()
        ledger = stack.enter_context(open_ledger(where, clock=clock))
        yield Books(ledger, clock, where)
