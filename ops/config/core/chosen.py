"""Choose the core for tests: a named program, the pinned release, or the installed core."""

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ops.config.core.cache import cached, folder
from ops.config.core.cache import place as cache
from ops.config.core.program import ask_version, extract
from ops.errors import CoreError
from ops.files import sentence
from ops.model import Core

_DATA = (Path("/usr/local/share/xray"), Path("/usr/share/xray"))
"""Folders of installers for the data files, if these are not beside the program."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A program of Xray that runs on this machine."""

    program: Path
    version: str
    is_pinned: bool
    """Whether it is the release that the inventory pins, byte for byte."""

    @property
    def data(self) -> Path | None:
        """Return the folder of its data files; None if they are not on this machine."""
        variable = os.environ.get("XRAY_LOCATION_ASSET")
        places = [Path(variable)] if variable else [self.program.resolve().parent, *_DATA]
        return next((place for place in places if (place / "geoip.dat").is_file()), None)


def choose(core: Core | None, asked: Path | None = None) -> Chosen | None:
    """Return the core to test with; None if there is none.

    Args:
        core: the core that the inventory pins; None without an inventory.
        asked: a program that the user named. No other program is chosen then.

    Raises:
        CoreError: the named or cached core does not run.
    """
    pinned = core.sha256.get(platform.machine()) if core else None
    unpacked = _unpacked(pinned) if pinned else None
    if asked:
        is_pinned = unpacked is not None and _same(asked, unpacked)
        return Chosen(asked, ask_version(asked), is_pinned)
    if unpacked:
        return Chosen(unpacked, ask_version(unpacked), is_pinned=True)
    if installed := shutil.which("xray"):
        program = Path(installed)
        return Chosen(program, ask_version(program), is_pinned=False)
    return None


def _unpacked(sha256: str) -> Path | None:
    """Return the program of the cached release *sha256*; None if it is not cached.

    The first call unpacks it.
    """
    place = cache() / sha256
    if not (place / "xray").is_file():
        archive = cached(sha256)
        if archive is None:
            return None
        try:
            _unpack(archive, place)
        except OSError as error:  # another process was faster, or the disk is full
            if not (place / "xray").is_file():
                raise CoreError(f"{archive} cannot be unpacked: {sentence(error)}") from None
    return place / "xray"


def _unpack(archive: Path, place: Path) -> None:
    beside = Path(tempfile.mkdtemp(dir=folder()))
    try:
        extract(archive, beside)
        beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _same(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
