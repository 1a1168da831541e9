"""Cache the releases of the core, each under the SHA-256 of its zip file."""

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
"""The file of a release for each ``uname -m`` (XTLS/Xray-core, .github/workflows/release.yml)."""

_DOWNLOAD = 3600.0
"""Seconds to wait for the download of another process."""


def place() -> Path:
    """Return the path of the cache's folder, which may not exist."""
    return files.cache_folder() / "core"


def folder() -> Path:
    """Return the cache's folder and make it if necessary; CoreError if that fails."""
    try:
        files.make_folder(place())
    except OSError as error:
        raise CoreError(_unusable(error)) from None
    return place()


def _unusable(error: OSError) -> str:
    return f"{files.sentence(error)}, or set XDG_CACHE_HOME to a folder of yours"


def pinned(core: Core, machine: str) -> str:
    """Return the SHA-256 that the inventory pins for *machine*; CoreError if it pins none."""
    if sha256 := core.sha256.get(machine):
        return sha256
    raise CoreError(
        f"hosts.toml pins no SHA-256 of core {core.version} for {machine}: "
        f"`ops core pin {core.version} --machine {machine}` downloads it and writes the sum there; "
        "--archive FILE takes it from a file"
    )


def cached(sha256: str) -> Path | None:
    """Return the cached archive with the SHA-256 *sha256*; None if it is missing or damaged."""
    path = place() / f"{sha256}.zip"
    return path if path.is_file() and sum_of(path) == sha256 else None


def keep(archive: Path, sha256: str | None = None) -> str:
    """Put a copy of *archive* into the cache, and return its SHA-256.

    Raises:
        CoreError: its SHA-256 is not *sha256*, or it cannot be copied.
    """
    actual = sum_of(archive)
    if sha256 not in (None, actual):
        raise CoreError(
            f"{archive} is not the pinned release: its SHA-256 is {actual}, "
            f"the inventory's {sha256}"
        )
    try:
        _copy(archive, folder() / f"{actual}.zip")
    except OSError as error:
        raise CoreError(_unusable(error)) from None
    return actual


def _copy(archive: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as private:
        beside = Path(private) / target.name
        shutil.copyfile(archive, beside)
        beside.replace(target)


def archive(core: Core, machine: str, progress: Progress = lambda *_: None) -> Path:
    """Return the verified archive of *core* for *machine*; download it if it is not cached.

    A later call resumes a download that broke off.

    Raises:
        CoreError: the download failed, or the archive has another SHA-256 than the inventory pins.
    """
    sha256 = pinned(core, machine)
    if path := cached(sha256):
        return path
    with locked(folder(), _DOWNLOAD):  # one download, also if several processes need it
        if path := cached(sha256):
            return path
        part = folder() / f"{sha256}.part"
        download(url(core, machine), part, progress)
        try:
            keep(part, sha256)
        finally:
            part.unlink(missing_ok=True)  # it is complete, so there is nothing to resume
    return folder() / f"{sha256}.zip"


def fetch_release(
    core: Core, version: str, machine: str, progress: Progress = lambda *_: None
) -> str:
    """Download *version* of *core* for *machine* into the cache; return its SHA-256."""
    with tempfile.TemporaryDirectory(dir=folder()) as beside:
        wanted = replace(core, version=version)
        download(url(wanted, machine), file := Path(beside) / ARCHIVES[machine], progress)
        return keep(file)


def url(core: Core, machine: str) -> str:
    """Return the download URL of *core* for *machine*."""
    return core.url.format(version=core.version, file=ARCHIVES[machine])


def sum_of(path: Path) -> str:
    """Return the SHA-256 of the file *path*; CoreError if it cannot be read."""
    try:
        files.must_be_file(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CoreError(files.sentence(error)) from None
