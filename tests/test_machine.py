"""What a probe says of the machine behind a host's name."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ops.counting.collecting.machine import DESCRIBE_MACHINE, parse_machine


@pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell")
def test_this_machine_says_how_long_its_first_process_has_been_up() -> None:
    printed = subprocess.run(
        ["sh", "-c", DESCRIBE_MACHINE], capture_output=True, text=True, check=True
    )
    kernel = float(Path("/proc/uptime").read_text().split()[0])
    up = parse_machine(printed.stdout).up
    assert up is not None
    assert 0 < up <= kernel


@pytest.mark.parametrize("up", ["", "up", "up -3.5", "up 1e9", "up nan", "up 5.0 6.0", "down 7"])
def test_an_uptime_that_cannot_be_read_is_none(up: str) -> None:
    assert parse_machine(f"{up}\ninit S{' 0' * 19}\n").up is None
    assert parse_machine(f"up 5.0\ninit S {up}\n").up is None


def test_a_container_is_no_older_than_its_first_process() -> None:
    assert parse_machine("up 5000.5\ninit S" + " 0" * 18 + " 499000\n").up == 10.5
    assert parse_machine("up 10.5\ninit S" + " 0" * 18 + " 499000\n").up == 0
