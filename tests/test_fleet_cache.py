"""A fleet is checked once: what was read is kept, and never trusted further than that."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.errors import FleetError
from ops.fleet.inventory import cache
from ops.fleet.inventory.cache import cached_fleet
from ops.fleet.inventory.strict import fleet_in
from ops.model import Fleet
from tests import fleets

ROOT = Path(__file__).parent.parent


class Reader:
    """Reads a fleet, and counts how often."""

    def __init__(self, meanwhile: Callable[[Path], object] = lambda _: None) -> None:
        self.times = 0
        self._meanwhile = meanwhile

    def __call__(self, folder: Path) -> Fleet:
        self.times += 1
        found = fleet_in(folder)
        self._meanwhile(folder)
        return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return fleets.write(tmp_path)


def keepsakes(folder: Path) -> list[Path]:
    return list((folder / "cache" / "xray-ops" / "fleets").iterdir())


def add_key(folder: Path) -> None:
    with (folder / "inventory" / "keys.toml").open("a") as file:
        file.write("\n[keys.newcomer]\n")


def test_what_was_read_is_not_checked_again(folder: Path) -> None:
    reader = Reader()
    assert cached_fleet(folder, reader) == cached_fleet(folder, reader) == fleet_in(folder)
    assert reader.times == 1


def test_the_next_command_starts_without_what_checks(folder: Path) -> None:
    words = (
        "import sys, pathlib; from ops.fleet import inventory;"
        "inventory.load(pathlib.Path(sys.argv[1]));"
        "sys.exit('pydantic' in sys.modules)"
    )
    command = [sys.executable, "-c", words, str(folder)]
    assert [subprocess.run(command, cwd=ROOT, check=False).returncode for _ in "ab"] == [1, 0]


def test_a_change_is_read(folder: Path) -> None:
    before = cached_fleet(folder, fleet_in)
    add_key(folder)
    assert len(cached_fleet(folder, fleet_in).keys) == len(before.keys) + 1


def test_a_change_while_it_is_read_is_not_missed(folder: Path) -> None:
    cached_fleet(folder, Reader(meanwhile=add_key))
    reader = Reader()
    assert "newcomer" in {key.name for key in cached_fleet(folder, reader).keys}
    assert reader.times == 1


def cut(keepsake: Path) -> None:
    keepsake.write_bytes(keepsake.read_bytes()[:-1])


def open_up(keepsake: Path) -> None:
    keepsake.chmod(0o640)


@pytest.mark.parametrize("spoil", [cut, open_up])
def test_what_is_not_whole_or_not_ours_alone_is_read_again(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    reader = Reader()
    cached_fleet(folder, reader)
    (keepsake,) = keepsakes(folder)
    spoil(keepsake)
    cached_fleet(folder, reader)
    assert reader.times == 2


def test_what_was_kept_under_another_name_is_not_taken(folder: Path) -> None:
    cached_fleet(folder, fleet_in)
    (keepsake,) = keepsakes(folder)
    add_key(folder)
    cached_fleet(folder, fleet_in)
    (newer,) = set(keepsakes(folder)) - {keepsake}
    keepsake.replace(newer)
    assert "newcomer" in {key.name for key in cached_fleet(folder, fleet_in).keys}


def test_a_file_that_cannot_be_read_is_not_taken_for_one_that_is_not_there(folder: Path) -> None:
    cached_fleet(folder, fleet_in)
    (folder / "inventory" / "issued.toml").mkdir()
    with pytest.raises(FleetError, match=r"issued\.toml: is a folder, where a file belongs"):
        cached_fleet(folder, fleet_in)


def test_nothing_is_kept_in_a_home_that_is_not_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Path("/")
    if os.geteuid() == 0:
        theirs = folder / "theirs"
        theirs.mkdir()
        os.chown(theirs, 12345, 12345)
    monkeypatch.setenv("HOME", str(theirs))
    assert cached_fleet(folder, fleet_in) == fleet_in(folder)
    assert not (folder / "cache").exists()


def test_a_folder_that_others_may_enter_is_not_used(folder: Path) -> None:
    (folder / "cache" / "xray-ops" / "fleets").mkdir(parents=True, mode=0o755)
    cached_fleet(folder, fleet_in)
    assert keepsakes(folder) == []


def test_what_is_nested_as_deeply_as_may_be_is_read_and_kept(folder: Path) -> None:
    deep = "settings." + ".".join(["a"] * 60) + " = 1"
    with (folder / "inventory" / "hosts.toml").open("a") as file:
        file.write(f'\n[outbounds.deep]\nprotocol = "freedom"\n{deep}\n')
    assert "deep" in {outbound.name for outbound in cached_fleet(folder, fleet_in).outbounds}
    assert len(keepsakes(folder)) == 1


def test_a_home_that_cannot_be_written_to_keeps_nobody_from_reading(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    assert cached_fleet(folder, fleet_in) == fleet_in(folder)


def test_only_the_newest_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST", 2)
    keys = folder / "inventory" / "keys.toml"
    for number in range(4):
        keys.write_text(f"# edition {number}\n")
        cached_fleet(folder, fleet_in)
    assert len(keepsakes(folder)) == 2
