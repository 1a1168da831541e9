"""A release is handed out only if its SHA-256 is the pinned one."""

import zipfile
from pathlib import Path

import pytest

from ops.core import archive, cached, keep
from ops.core.cache import sum_of
from ops.core.pin import pin
from ops.core.program import version_of
from ops.errors import CoreError
from ops.inventory import load
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
