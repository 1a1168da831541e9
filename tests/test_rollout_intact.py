"""A core's files on a host: whole, damaged in every way, healed, and what a process really runs."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.model import layout
from ops.servers.on_host import files, intact, releases
from tests.loopback import until

HELD = ("xray", "geoip.dat", "geosite.dat")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A release's zip whose program runs: the shell's sleep stands in for the core."""
    archive = tmp_path / "release.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.write(shutil.which("sleep") or "/bin/sleep", "xray")
        zipped.writestr("geoip.dat", b"addresses")
        zipped.writestr("geosite.dat", b"names")
    return archive


@pytest.fixture
def core(archive: Path) -> dict[str, str]:
    return {
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "upload": "",
        "url": archive.as_uri(),
    }


@pytest.fixture
def folder(core: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed release."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    files.at(layout.CORES).mkdir(parents=True)
    assert releases.install(core, tmp_path)
    return files.at(releases.folder_of(core["sha256"]))


def missing(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    missing(file)
    file.touch(mode=0o755)


def half(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def another(file: Path) -> None:
    content = file.read_bytes()
    missing(file)
    file.write_bytes(content[:-1] + b"!")
    file.chmod(0o755)


def patched(file: Path) -> None:
    """One byte is another; size, modification time and inode are the same."""
    before = file.stat()
    with file.open("r+b") as content:
        content.seek(before.st_size // 2)
        byte = content.read(1)
        content.seek(before.st_size // 2)
        content.write(bytes([byte[0] ^ 1]))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def private(file: Path) -> None:
    """The core's user may not read it."""
    file.chmod(0o700)


def a_folder(file: Path) -> None:
    missing(file)
    file.mkdir()


def a_link(file: Path) -> None:
    away = file.with_name("away")
    file.rename(away)
    file.symlink_to(away)


DAMAGE = (missing, empty, half, another, patched, private, a_folder, a_link)


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_is_damaged_in_any_way_is_found_and_healed(
    folder: Path, core: dict[str, str], tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    before = {held: (folder / held).read_bytes() for held in HELD}
    damage(folder / name)
    assert not intact.is_intact(folder)
    assert releases.install(core, tmp_path)
    assert intact.is_intact(folder)
    assert {held: (folder / held).read_bytes() for held in HELD} == before
    assert not releases.install(core, tmp_path)
    assert [path.name for path in files.at(layout.CORES).iterdir()] == [folder.name]


def test_a_program_that_may_not_be_run_is_damaged(folder: Path) -> None:
    (folder / "xray").chmod(0o644)
    assert not intact.is_intact(folder)


def test_a_folder_that_may_not_be_entered_is_damaged_and_healed(
    folder: Path, core: dict[str, str], tmp_path: Path
) -> None:
    folder.chmod(0o700)
    assert not intact.is_intact(folder)
    assert releases.install(core, tmp_path)
    assert intact.is_intact(folder)


@pytest.mark.parametrize("instead", [lambda f: f.write_text("x"), lambda f: f.symlink_to("/")])
def test_what_is_no_folder_gives_way(
    folder: Path, core: dict[str, str], tmp_path: Path, instead: Callable[[Path], None]
) -> None:
    shutil.rmtree(folder)
    instead(folder)
    assert releases.install(core, tmp_path)
    assert intact.is_intact(folder)


def test_a_copy_with_the_same_content_is_whole(folder: Path) -> None:
    """As after a backup was put back."""
    for name in HELD:
        shutil.copy(folder / name, folder / "copy")
        (folder / "copy").rename(folder / name)
    assert intact.is_intact(folder)


def test_files_that_were_not_touched_are_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intact, "_sum", lambda _: pytest.fail("it was hashed"))
    assert intact.is_intact(folder)


def test_a_release_of_an_older_version_is_whole_if_it_could_run(folder: Path) -> None:
    (folder / intact.MARKS).unlink()
    assert intact.is_intact(folder)
    empty(folder / "xray")
    assert not intact.is_intact(folder)


def running(program: Path) -> "subprocess.Popen[bytes]":
    """Run *program* and have its process in the host's /proc."""
    process = subprocess.Popen([str(program), "60"])
    there = files.at("/proc")
    if not there.exists():
        there.symlink_to("/proc")
    until(lambda: (there / f"{process.pid}/exe").readlink() == program, "the program runs")
    return process


@pytest.mark.parametrize(
    "damage",
    [None, missing, another],
    ids=["as installed", "its file is gone since", "its file was replaced since"],
)
def test_a_process_is_known_by_what_it_runs(
    folder: Path, damage: Callable[[Path], None] | None
) -> None:
    with running(folder / "xray") as process:
        if damage:
            damage(folder / "xray")
        assert intact.release_of(process.pid) == folder.name
        process.kill()


def test_a_process_of_another_program_in_the_cores_place_is_of_no_release(
    folder: Path,
) -> None:
    with (folder / "xray").open("ab") as program:
        program.write(b"!")
    with running(folder / "xray") as process:
        assert intact.release_of(process.pid) == ""
        process.kill()


def test_a_process_from_elsewhere_is_of_no_release(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "xray", tmp_path / "xray")
    with running(tmp_path / "xray") as process:
        assert intact.release_of(process.pid) == ""
        process.kill()
