"""A fleet is checked once: what was read is kept, and never trusted further than that."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.inventory import kept
from ops.inventory.kept import fleet as kept_fleet
from ops.inventory.strict import fleet_in
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
    assert kept_fleet(folder, reader) == kept_fleet(folder, reader) == fleet_in(folder)
    assert reader.times == 1


def test_the_next_command_starts_without_what_checks(folder: Path) -> None:
    words = (
        "import sys, pathlib; from ops import inventory; inventory.load(pathlib.Path(sys.argv[1]));"
        "sys.exit('pydantic' in sys.modules)"
    )
    command = [sys.executable, "-c", words, str(folder)]
    assert [subprocess.run(command, cwd=ROOT, check=False).returncode for _ in "ab"] == [1, 0]


def test_a_change_is_read(folder: Path) -> None:
    before = kept_fleet(folder, fleet_in)
    add_key(folder)
    assert len(kept_fleet(folder, fleet_in).keys) == len(before.keys) + 1


def test_a_change_while_it_is_read_is_not_missed(folder: Path) -> None:
    kept_fleet(folder, Reader(meanwhile=add_key))
    reader = Reader()
    assert "newcomer" in {key.name for key in kept_fleet(folder, reader).keys}
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
    kept_fleet(folder, reader)
    (keepsake,) = keepsakes(folder)
    spoil(keepsake)
    kept_fleet(folder, reader)
    assert reader.times == 2


def test_a_home_that_cannot_be_written_to_keeps_nobody_from_reading(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    assert kept_fleet(folder, fleet_in) == fleet_in(folder)


def test_only_the_newest_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    keys = folder / "inventory" / "keys.toml"
    for number in range(4):
        keys.write_text(f"# edition {number}\n")
        kept_fleet(folder, fleet_in)
    assert len(keepsakes(folder)) == 2
