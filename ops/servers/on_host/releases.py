"""The core's releases on this host, each in a folder named by the SHA-256 of its zip."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from ops.model import layout
from ops.servers.on_host import files, intact
from ops.servers.on_host.failure import RolloutError

CHUNK = 1 << 20
SILENCE = 30
"""Seconds without any data before a download fails."""


def folder_of(sha256: str) -> str:
    """Return the folder of the release with this SHA-256 of its zip."""
    return f"{layout.CORES}/{sha256}"


def install(core: dict[str, str], private: Path) -> bool:
    """Install the release of *core* if it is missing or damaged. Return whether it was.

    The zip must have the pinned SHA-256. *private* is a folder for temporary files.
    """
    target = files.at(folder_of(core["sha256"]))
    if intact.is_intact(target):
        return False
    if not core["upload"] and not core["url"]:
        raise RolloutError(f"the core in {folder_of(core['sha256'])} is damaged: run again")
    archive = private / "core.zip"
    if core["upload"]:
        _take_upload(core["upload"], archive)
    else:
        _download(core["url"], archive)
    _check(archive, core)
    _unpack(archive, target)
    archive.unlink()
    return True


def prune(*kept: str) -> None:
    """Remove all releases except *kept*, which are SHA-256 digests."""
    for folder in files.at(layout.CORES).iterdir():
        if folder.is_dir() and not folder.is_symlink() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _take_upload(upload: str, archive: Path) -> None:
    """Copy the upload before it is checked, because others may write to its folder."""
    shutil.copyfile(files.at(upload), archive)
    files.at(upload).unlink()


def _download(url: str, archive: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=SILENCE) as reply, archive.open("wb") as out:  # noqa: S310 - a URL of the inventory
            shutil.copyfileobj(reply, out, CHUNK)
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise RolloutError(
            f"cannot download the core from {url}: {getattr(error, 'reason', error)}; "
            'correct `url`, or write `fetch = "push"` under [core] to send it from your machine'
        ) from None


def _check(archive: Path, core: dict[str, str]) -> None:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    if digest.hexdigest() != core["sha256"]:
        raise RolloutError(
            f"the received core has SHA-256 {digest.hexdigest()}, but the inventory pins "
            f"{core['sha256']}: it was not used"
        )


def _unpack(archive: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        with zipfile.ZipFile(archive) as zipped:
            for name in intact.FILES.keys() & set(zipped.namelist()):
                with zipped.open(name) as packed, (beside / name).open("wb") as out:
                    shutil.copyfileobj(packed, out, CHUNK)
                    out.flush()
                    os.fsync(out.fileno())
                (beside / name).chmod(intact.FILES[name])
        intact.mark(beside)
        beside.chmod(0o755)
        if target.is_dir() and not target.is_symlink():
            _heal(target, beside)
        else:
            target.unlink(missing_ok=True)
            beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    files.sync(target.parent)


def _heal(target: Path, beside: Path) -> None:
    """Replace the damaged files in the folder *target* by those of *beside*.

    Intact files stay, because `intact.release_of` knows a running program by its inode.
    """
    (target / intact.MARKS).unlink(missing_ok=True)  # so that a kill leaves no wrong marks
    for file in beside.iterdir():
        place = target / file.name
        if file.name == intact.MARKS or intact.same(place, file):
            continue
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        file.replace(place)
    target.chmod(0o755)
    intact.mark(target)
