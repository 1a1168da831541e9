"""What tests of every room may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from lab.core import ensure_core
from lab.errors import LabError
from lab.state import DEFAULT, VARIABLE
from tests.lane import Lane, laid


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
