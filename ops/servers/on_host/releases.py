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
"""Seconds without a byte after which a download is given up."""


def folder_of(sha256: str) -> str:
    """Return the folder of the release whose zip has this digest."""
    return f"{layout.CORES}/{sha256}"


def install(core: dict[str, str], private: Path) -> bool:
    """Have the release in place, checked before anything of it is used; say if it is new.

    A release that is damaged is replaced.
    """
    there = files.at(folder_of(core["sha256"]))
    if intact.is_intact(there):
        return False
    if not core["upload"] and not core["url"]:
        raise RolloutError(f"the core in {folder_of(core['sha256'])} is damaged: run again")
    archive = private / "core.zip"
    if core["upload"]:
        _take_upload(core["upload"], archive)
    else:
        _download(core["url"], archive)
    _check(archive, core)
    _unpack(archive, there)
    archive.unlink()
    return True


def prune(*kept: str) -> None:
    """Remove the releases that are neither in use nor the one before."""
    for there in files.at(layout.CORES).iterdir():
        if there.is_dir() and not there.is_symlink() and there.name not in kept:
            shutil.rmtree(there, ignore_errors=True)


def _take_upload(upload: str, archive: Path) -> None:
    """Copy first, then check the copy: what was sent may lie where others write."""
    shutil.copyfile(files.at(upload), archive)
    files.at(upload).unlink()


def _download(url: str, archive: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=SILENCE) as reply, archive.open("wb") as out:  # noqa: S310 - the inventory's own
            shutil.copyfileobj(reply, out, CHUNK)
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise RolloutError(
            f"cannot download the core from {url}: {getattr(error, 'reason', error)}; "
            'mend `url`, or write `fetch = "push"` under [core] to send it from your machine'
        ) from None


def _check(archive: Path, core: dict[str, str]) -> None:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    if digest.hexdigest() != core["sha256"]:
        raise RolloutError(
            f"the core that came has SHA-256 {digest.hexdigest()}, the inventory pins "
            f"{core['sha256']}: nothing of it was used"
        )


def _unpack(archive: Path, there: Path) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    there.parent.chmod(0o755)
    beside = Path(tempfile.mkdtemp(dir=there.parent, prefix=f".{there.name}."))
    try:
        with zipfile.ZipFile(archive) as zipped:
            for name in intact.HELD.keys() & set(zipped.namelist()):
                with zipped.open(name) as packed, (beside / name).open("wb") as out:
                    shutil.copyfileobj(packed, out, CHUNK)
                    out.flush()
                    os.fsync(out.fileno())
                (beside / name).chmod(intact.HELD[name])
        intact.mark(beside)
        beside.chmod(0o755)
        if there.is_dir() and not there.is_symlink():
            _heal(there, beside)
        else:
            there.unlink(missing_ok=True)
            beside.rename(there)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    files.sync(there.parent)


def _heal(there: Path, beside: Path) -> None:
    """Put the files of *beside* into the folder *there*, in which a core may run.

    A file that is as it should be stays, because the running program is known by it.
    """
    (there / intact.MARKS).unlink(missing_ok=True)  # in case this is killed in the middle
    for file in beside.iterdir():
        place = there / file.name
        if file.name == intact.MARKS or intact.same(place, file):
            continue
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        file.replace(place)
    there.chmod(0o755)
    intact.mark(there)
