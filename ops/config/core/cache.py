"""Keep the releases that the inventory pins, each under the SHA-256 of its zip."""

import hashlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from ops import files
from ops.config.core.download import Progress, download
from ops.errors import CoreError
from ops.files import locked
from ops.model import Core

ARCHIVES = {
    "x86_64": "Xray-linux-64.zip",
    "aarch64": "Xray-linux-arm64-v8a.zip",
    "armv7l": "Xray-linux-arm32-v7a.zip",
}
"""The release's file for each ``uname -m`` (XTLS/Xray-core, .github/workflows/release.yml)."""

_DOWNLOAD = 3600.0
"""Seconds that somebody else's download is waited for."""


def place() -> Path:
    """Return where the cache's folder is; it may be missing."""
    return files.cache_folder() / "core"


def folder() -> Path:
    """Return the cache's folder, made if need be; CoreError where it cannot be."""
    try:
        files.make_folder(place())
    except OSError as error:
        raise CoreError(_unusable(error)) from None
    return place()


def _unusable(error: OSError) -> str:
    return f"{files.sentence(error)}, or set XDG_CACHE_HOME to a folder of yours"


def pinned(core: Core, machine: str) -> str:
    """Return the SHA-256 that the inventory pins for *machine*; CoreError where it pins none."""
    if sha256 := core.sha256.get(machine):
        return sha256
    raise CoreError(
        f"hosts.toml pins no SHA-256 of core {core.version} for {machine}: "
        f"`ops core pin {core.version} --machine {machine}` downloads it and writes the sum there; "
        "--archive FILE takes it from a file"
    )


def cached(sha256: str) -> Path | None:
    """Return the archive whose sum is *sha256*, if it is here and still is that."""
    path = place() / f"{sha256}.zip"
    return path if path.is_file() and sum_of(path) == sha256 else None


def keep(archive: Path, sha256: str | None = None) -> str:
    """Put a copy of *archive* into the cache; return its sum. CoreError if that is not *sha256*."""
    found = sum_of(archive)
    if sha256 not in (None, found):
        raise CoreError(
            f"{archive} is not the pinned release: its SHA-256 is {found}, the inventory's {sha256}"
        )
    try:
        _copy(archive, folder() / f"{found}.zip")
    except OSError as error:
        raise CoreError(_unusable(error)) from None
    return found


def _copy(archive: Path, kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as private:
        beside = Path(private) / kept.name
        shutil.copyfile(archive, beside)
        beside.replace(kept)


def archive(core: Core, machine: str, progress: Progress = lambda *_: None) -> Path:
    """Return the verified archive for *machine*, downloaded if it is not here yet.

    A download that broke off goes on where it stopped, the next time, too.
    """
    sha256 = pinned(core, machine)
    if path := cached(sha256):
        return path
    with locked(folder(), _DOWNLOAD):  # one download, however many hosts want it
        if path := cached(sha256):
            return path
        part = folder() / f"{sha256}.part"
        download(url(core, machine), part, progress)
        try:
            keep(part, sha256)
        finally:
            part.unlink(missing_ok=True)  # whole, and right or wrong: nothing to go on with
    return folder() / f"{sha256}.zip"


def fetch_release(
    core: Core, version: str, machine: str, progress: Progress = lambda *_: None
) -> str:
    """Download *version* from where *core* comes from into the cache; return its SHA-256."""
    with tempfile.TemporaryDirectory(dir=folder()) as beside:
        wanted = replace(core, version=version)
        download(url(wanted, machine), file := Path(beside) / ARCHIVES[machine], progress)
        return keep(file)


def url(core: Core, machine: str) -> str:
    """Return where *core* for *machine* is downloaded from."""
    return core.url.format(version=core.version, file=ARCHIVES[machine])


def sum_of(path: Path) -> str:
    """Return the SHA-256 of *path*; CoreError where it cannot be read."""
    try:
        files.must_be_file(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CoreError(files.sentence(error)) from None
