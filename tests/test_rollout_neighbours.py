"""What else is on a host: sets that were left, drop-ins, other services, other configs."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.model import layout
from ops.servers.on_host import files, foreign, leftovers, lock, network, places, state
from tests.loopback import until


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's file system, for as long as a test."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    for folder in (places.STATE, "/run", "/etc/xray"):
        files.at(folder).mkdir(parents=True)
    return tmp_path


# What a power cut left


@pytest.mark.parametrize("name", ["set.abcdefgh", "5555.zip"])
@pytest.mark.parametrize(
    ("age", "stays"), [(0, True), (599, True), (601, False), (10**6, False), (-3600, False)]
)
def test_what_was_left_goes_unless_it_may_be_on_its_way(
    root: Path, name: str, age: int, stays: bool
) -> None:
    """A clock that was set back makes ages below 0."""
    left = files.at(f"{places.STATE}/{name}")
    if name.endswith(".zip"):
        left.write_bytes(b"core")
    else:
        left.mkdir()
        (left / "set.pyz").write_bytes(b"secret")
    os.utime(left, (time.time() - age, time.time() - age))
    leftovers.sweep()
    assert left.exists() is stays


def test_nothing_goes_while_a_rollout_is_at_work(root: Path) -> None:
    left = files.at(f"{places.STATE}/set.abcdefgh")
    left.mkdir()
    os.utime(left, (0, 0))
    with lock.held("ann@desk"):
        leftovers.sweep()
        assert left.exists()
    leftovers.sweep()
    assert not left.exists()


def test_the_record_and_the_journal_are_no_leftovers(root: Path) -> None:
    for path in (places.RECORD, places.JOURNAL):
        files.at(path).write_text("{}")
        os.utime(files.at(path), (0, 0))
    leftovers.sweep()
    assert files.at(places.RECORD).exists()
    assert files.at(places.JOURNAL).exists()


# Drop-ins


@pytest.mark.parametrize("folder", foreign.UNIT_FOLDERS)
def test_a_drop_in_is_found_in_every_folder_of_systemd(root: Path, folder: str) -> None:
    files.at(f"{folder}/xray.service.d").mkdir(parents=True)
    files.at(f"{folder}/xray.service.d/10.conf").touch()
    assert foreign.drop_ins() == [f"{folder}/xray.service.d/10.conf"]


def test_a_drop_in_under_two_names_is_found_once(root: Path) -> None:
    files.at("/usr/lib/systemd/system/xray.service.d").mkdir(parents=True)
    files.at("/usr/lib/systemd/system/xray.service.d/10.conf").touch()
    files.at("/lib").symlink_to(files.at("/usr/lib"))
    assert foreign.drop_ins() == ["/usr/lib/systemd/system/xray.service.d/10.conf"]


# Services


@dataclass
class Seen:
    """What systemd says of the service."""

    active: str
    starts: str = ""
    pid: int = 0


@pytest.mark.parametrize("active", ["inactive", "failed", ""])
def test_a_stopped_service_is_in_nobodys_way(active: str) -> None:
    assert foreign.service(Seen(active, "{ path=/usr/local/bin/xray }")) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("active", ["active", "activating", "reloading", "deactivating"])
def test_a_service_is_ours_by_the_program_that_it_starts(active: str) -> None:
    ours = f"{{ path={layout.CORE} ; argv[]={layout.CORE} run -c x }}"
    assert foreign.service(Seen(active, ours)) == ""  # type: ignore[arg-type]
    theirs = Seen(active, "{ path=/usr/local/bin/xray ; argv[]=/usr/local/bin/xray run }")
    assert foreign.service(theirs) == "xray.service"  # type: ignore[arg-type]


@pytest.mark.parametrize("flag", ["-c", "-config", "--config"])
@pytest.mark.parametrize(
    ("config", "users"),
    [
        ('{"inbounds": [{"settings": {"clients": [{"id": "a"}, {"id": "b"}]}}]}', ", 2 users"),
        ('{"inbounds": [{"settings": {"clients": [{"id": "a"}]}}, {}]}', ", 1 user"),
        ('{"inbounds": [{"settings": {"clients": 5}}]}', ""),
        ('{"inbounds": 5}', ""),
        ('{"inbounds": [5]}', ""),
        ("[]", ""),
        ("no JSON", ""),
    ],
)
def test_the_users_of_another_service_are_counted_where_its_config_can_be_read(
    tmp_path: Path, flag: str, config: str, users: str
) -> None:
    file = tmp_path / "config.json"
    file.write_text(config)
    script = "import sys; sys.stdin.read()"
    command = ["/usr/bin/python3", "-c", script, flag, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        cmdline = Path(f"/proc/{process.pid}/cmdline")
        until(lambda: str(file) in cmdline.read_text(), "the program runs")
        told = foreign.service(Seen("active", "", process.pid))  # type: ignore[arg-type]
        program = Path(f"/proc/{process.pid}/exe").readlink()
        assert told == f"xray.service ({program}{users})"


# Configs


@pytest.mark.parametrize(
    "config",
    [
        "[]",
        "5",
        '"text"',
        '{"inbounds": 5}',
        '{"inbounds": [5]}',
        '{"inbounds": [{"settings": {"clients": [{"id": "a"}]}}]}',
        '{"inbounds": [{"tag": "a", "settings": {"clients": [{"id": "a"}]}}]}',
        '{"inbounds": [{"tag": "a", "settings": {"clients": {"id": "a"}}}]}',
        '{"inbounds": [{"tag": "a", "settings": 5}]}',
        '{"inbounds": [{"tag": "a", "streamSettings": 5}]}',
        '{"inbounds": [{"settings": {}}]}',
    ],
)
def test_a_config_that_was_not_made_here_is_no_obstacle_to_a_look(root: Path, config: str) -> None:
    files.at(layout.CONFIG).write_text(config)
    seen: dict[str, Any] = state._of_the_file()
    assert seen.get("file_users", {}) == {}


# Sockets


def test_who_holds_the_cores_socket_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "api.sock")
    monkeypatch.setattr(layout, "SOCKET", path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        assert not [one for one in network.listeners(besides=0) if one.protocol == "unix"]
        server.listen()
        (held,) = [one for one in network.listeners(besides=0) if one.protocol == "unix"]
        assert held.pid == os.getpid()
        assert not [one for one in network.listeners(os.getpid()) if one.protocol == "unix"]


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/nginx.service\n", "nginx.service"),
        ("1:name=systemd:/system.slice/x.service\n0::/system.slice/x.service\n", "x.service"),
        ("0::/system.slice/system-xray.slice/xray@one.service\n", "xray@one.service"),
        ("0::/user.slice/user-0.slice/session-3.scope\n", ""),
        ("", ""),
    ],
)
def test_a_process_is_named_by_its_service(tmp_path: Path, cgroup: str, unit: str) -> None:
    (tmp_path / "cgroup").write_text(cgroup)
    assert network._unit(tmp_path) == unit
