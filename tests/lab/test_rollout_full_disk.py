"""Rollouts to real servers whose disk is full: nothing changes, and the message says why."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import Host
from lab.core import ensure_core
from ops.servers.on_host import places
from tests.lab.operator import Operator
from tests.lab.witness import NO_V6, config, life, serves


@contextmanager
def full(host: Host, folder: str) -> Iterator[None]:
    """Have *folder* of the host lie on a disk that is full."""
    host.run(
        f"set -e; cp -a {folder} /run/full; mount -t tmpfs -o size=2M tmpfs {folder}; "
        f"cp -a /run/full/. {folder}/; dd if=/dev/zero of={folder}/fill 2>/dev/null || true"
    )
    try:
        yield
    finally:
        host.run(f"umount {folder}; rm -r /run/full")


@pytest.mark.parametrize("place", ["/etc/xray", "/etc/systemd/system", places.STATE])
def test_on_a_full_disk_the_old_set_serves_and_the_message_says_why(
    operator: Operator, place: str
) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    operator.of_host = {"lab1": 'accounting = "spliced"\n' + NO_V6}
    operator.fill()
    with full(host, place):
        done = operator.pyinfra("-y", "--limit", "lab1")
        assert life(host) == before[0]
        assert serves(operator, "lab1")
    assert done.returncode == 1
    assert re.search(r"disk is full|No space left on device", done.stdout)
    assert "nothing was changed" in done.stdout
    assert config(host) == before[1]
    operator.roll_out("--limit", "lab1")
    assert "nothing to change" in operator.roll_out("--limit", "lab1")


def test_a_core_that_does_not_fit_on_the_disk_is_not_sent(
    operator: Operator, tmp_path: Path
) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    another = tmp_path / "another.zip"
    another.write_bytes(ensure_core().archive.read_bytes())
    with zipfile.ZipFile(another, "a") as zipped:
        zipped.writestr("another", "another sum")
    operator.pin(another)
    with full(host, places.STATE):
        done = operator.pyinfra("-y", "--limit", "lab1")
    assert done.returncode == 1
    assert "[lab1] left as it is: the core needs " in done.stdout
    assert re.search(r"needs \d+ MiB, and \d are free", done.stdout)
    assert (life(host), config(host)) == before
    assert "core 26.10.10 installed" in operator.roll_out("--limit", "lab1")
