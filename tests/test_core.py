"""A release is handed out only if its SHA-256 is the pinned one."""

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.config.core import archive, cached, keep
from ops.config.core.cache import sum_of
from ops.config.core.pin import pin
from ops.config.core.program import machine_of, version_of
from ops.errors import CoreError
from ops.fleet.inventory import load
from ops.model import Core
from tests import fleets


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def release(tmp_path: Path, core: Path) -> Path:
    path = tmp_path / "mirror" / "Xray-linux-64.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.write(core, "xray")
    return path


def pinned(release: Path, sha256: str | None = None) -> Core:
    url = release.parent.as_uri() + "/{file}"
    return Core(version="26.10.10", url=url, sha256={"x86_64": sha256 or sum_of(release)})


def test_a_release_is_downloaded_once(release: Path) -> None:
    first = archive(pinned(release), "x86_64")
    core = pinned(release)
    release.unlink()
    assert archive(core, "x86_64") == first


def test_a_release_with_another_sum_is_not_kept(release: Path) -> None:
    with pytest.raises(CoreError, match="is not the pinned release: its SHA-256 is"):
        archive(pinned(release, "0" * 64), "x86_64")
    assert cached("0" * 64) is None


def test_a_cached_file_that_was_changed_is_not_handed_out(release: Path) -> None:
    path = archive(pinned(release), "x86_64")
    path.write_bytes(b"something else")
    assert cached(path.stem) is None


def test_a_download_that_fails_says_how_to_go_on(tmp_path: Path) -> None:
    core = Core(version="1.2.3", url="file:///nowhere/{file}", sha256={"x86_64": "0" * 64})
    with pytest.raises(CoreError, match=r"cannot be downloaded .* --archive FILE"):
        archive(core, "x86_64")


def test_an_architecture_without_a_sum_is_refused() -> None:
    with pytest.raises(CoreError, match=r"pins no SHA-256 of core 1.2.3 for aarch64"):
        archive(Core(version="1.2.3"), "aarch64")


def test_the_program_says_its_version(release: Path) -> None:
    assert version_of(release) == "26.10.10"


def test_an_archive_that_is_no_release_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(CoreError, match=r"x.zip cannot be unpacked"):
        version_of(tmp_path / "x.zip")


def test_pinning_keeps_comments_and_forgets_other_versions(tmp_path: Path, release: Path) -> None:
    folder = fleets.write(tmp_path, more="# the end\n")
    pin(folder, "26.10.10", {"aarch64": "1" * 64})
    pin(folder, "26.10.10", {"x86_64": keep(release)})
    assert set(load(folder).core.sha256) == {"aarch64", "x86_64"}
    pin(folder, "27.1.1", {"x86_64": "2" * 64})
    assert load(folder).core.sha256 == {"x86_64": "2" * 64}
    assert "# the end" in (folder / "inventory" / "hosts.toml").read_text()


ARM = 183
"""ELF's number of aarch64."""


def for_arm(release: Path) -> Path:
    """Return an archive whose program says that it is for ARM. No core for ARM is at hand."""
    path = release.with_name("Xray-linux-arm64-v8a.zip")
    with zipfile.ZipFile(release) as file:
        program = bytearray(file.read("xray"))
    program[18:20] = ARM.to_bytes(2, "little")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xray", bytes(program))
    return path


def ops_core(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["core", *map(str, words)])


def sums(folder: Path) -> dict[str, str]:
    return dict(load(folder).core.sha256)


def test_a_program_is_pinned_for_the_machine_that_it_is_made_for(
    tmp_path: Path, release: Path
) -> None:
    folder, arm = fleets.write(tmp_path / "fleet"), for_arm(release)
    here = ("--fleet", folder)
    wrong = ops_core("pin", "--archive", release, "--machine", "aarch64", *here)
    assert wrong.exit_code == 1
    assert "holds a program for x86_64, not for aarch64" in wrong.stderr
    blind = ops_core("pin", "--archive", arm, *here)
    assert "`ops core pin VERSION --archive" in blind.stderr
    assert ops_core("pin", "--archive", release, *here).exit_code == 0
    assert ops_core("pin", "26.10.10", "--archive", arm, *here).exit_code == 0
    assert sums(folder) == {"x86_64": sum_of(release), "aarch64": sum_of(arm)}


def test_an_archive_without_a_program_for_linux_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as file:
        file.writestr("xray", b"\xcf\xfa\xed\xfe" + bytes(60))
    with pytest.raises(CoreError, match=r"mac.zip holds no program for Linux on x86_64, aarch64"):
        machine_of(tmp_path / "mac.zip")


def test_a_new_version_says_whose_sum_it_drops(tmp_path: Path, release: Path) -> None:
    folder = fleets.write(tmp_path / "fleet")
    pin(folder, "26.9.9", {"x86_64": "1" * 64, "aarch64": "2" * 64})
    done = ops_core("pin", "--archive", release, "--fleet", folder)
    assert "the sum for aarch64 was core 26.9.9's and is gone" in done.stderr
    assert "`ops core pin 26.10.10 --machine aarch64`" in done.stderr
    assert "the sum for" not in ops_core("pin", "--archive", release, "--fleet", folder).stderr


@pytest.mark.parametrize(("said", "code"), [("v26.10.10", 0), ("26.10.10", 0), ("latest", 2)])
def test_a_version_may_be_written_as_release_pages_do(
    tmp_path: Path, release: Path, said: str, code: int
) -> None:
    folder = fleets.write(tmp_path / "fleet")
    done = ops_core("pin", said, "--archive", release, "--fleet", folder)
    assert done.exit_code == code
    if not code:
        assert load(folder).core.version == "26.10.10"


def test_offline_each_command_names_the_option_that_it_has_itself(tmp_path: Path) -> None:
    url = 'url = "file:///nowhere/{file}"\n'
    folder = fleets.write(tmp_path / "fleet")
    file = folder / "inventory" / "hosts.toml"
    file.write_text(file.read_text().replace("[core]\n", f"[core]\n{url}", 1))
    pinning = ops_core("pin", "26.10.10", "--fleet", folder)
    assert "run this again with --archive FILE" in pinning.stderr
    assert "ops core fetch" not in pinning.stderr
