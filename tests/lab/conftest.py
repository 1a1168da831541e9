"""Tests on real servers: one lab for each worker's session, on a network of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Host, Lab, sweep
from lab.machine import obstacle
from tests.lab.operator import Operator

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, and say why it cannot run where it cannot."""
    reason = obstacle()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Three hosts; their lab is gone after the session, however it ends.

    What a killed session left is swept by the next one: a demo may be up meanwhile.
    """
    sweep()
    with Lab.up(f"t{os.getpid()}", 3, transient=True) as lab:
        yield lab


@pytest.fixture
def host1(lab: Lab) -> Iterator[Host]:
    """The host with root's login and everything allowed; its faults end with the test."""
    yield from _mended(lab.host("lab1"))


@pytest.fixture
def host2(lab: Lab) -> Iterator[Host]:
    """The host where only ``admin`` logs in, with sudo."""
    yield from _mended(lab.host("lab2"))


@pytest.fixture
def host3(lab: Lab) -> Iterator[Host]:
    """The host whose sshd forwards nothing."""
    yield from _mended(lab.host("lab3"))


@pytest.fixture(scope="session")
def shared(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """The fleet folder that tests share, so that hosts are installed once; ask for `operator`."""
    return Operator(tmp_path_factory.mktemp("operator") / "fleet", lab).begin()


@pytest.fixture
def operator(shared: Operator) -> Operator:
    """Somebody whose fleet is in place on all three hosts."""
    return shared.reset()


def _mended(host: Host) -> Iterator[Host]:
    yield host
    host.clear_faults()
    if host.state == "off":
        host.start()
