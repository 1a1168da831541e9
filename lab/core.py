"""Make the real ``xray`` program and its release archive from the pinned wheel."""

import hashlib
import platform
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab import archive, elf
from lab.command import run
from lab.errors import LabError
from lab.state import locked, state_folder

LOCK = Path(__file__).with_name("core.lock")
_PLATFORM = ("--python-version=3.11", "--implementation=cp", "--platform=manylinux2014_x86_64")
"""Options of pip for the wheel in the lock file, with any running Python."""


@dataclass(frozen=True, slots=True)
class CoreFiles:
    """The files of the core."""

    version: str
    program: Path
    archive: Path
    """A zip like that of a release. Its ``.dgst`` is beside it."""
    sha256: str
    """The SHA-256 of the archive, for the inventory."""


def ensure_core(
    folder: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> CoreFiles:
    """Return the core. Make it if it is missing, and copy it to *folder* if one is given."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise LabError("the lab's core runs on Linux on x86_64 only")
    state = state_folder()
    made = state / "core" / _recipe()
    with locked(state / "core.lock"):
        if not made.exists():
            say("making the xray program out of its wheel (once)")
            _make(made, _wheel(state / "wheels"))
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for file in made.iterdir():
            run("cp", "--reflink=auto", "--preserve=mode,timestamps", file, folder)
    return _described(folder or made)


def _recipe() -> str:
    """Return a hash of the inputs that determine the bytes of the core."""
    sources = (LOCK, Path(elf.__file__), Path(archive.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]


@cache  # hundreds of clients and fleets call it, and each hash is over 40 MB
def _described(folder: Path) -> CoreFiles:
    program, zipped = folder / "xray", folder / archive.NAME
    sha256 = hashlib.sha256(zipped.read_bytes()).hexdigest()
    return CoreFiles(_version(program), program, zipped, sha256)


def _make(made: Path, wheel: Path) -> None:
    program = elf.program_from_library(_library(wheel))
    whole = archive.release(program)
    partial = made.with_name("partial")
    run("rm", "-rf", partial)
    partial.mkdir(parents=True)
    (partial / archive.NAME).write_bytes(whole)
    (partial / f"{archive.NAME}.dgst").write_text(archive.digests(whole))
    (partial / "xray").write_bytes(program)
    (partial / "xray").chmod(0o755)
    partial.rename(made)


def _library(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as packed:
        libraries = [name for name in packed.namelist() if re.fullmatch(r"xray/[^/]+\.so", name)]
        if len(libraries) != 1:
            raise LabError(f"{wheel.name} holds {len(libraries)} libraries of xray, not one")
        return packed.read(libraries[0])


def _wheel(folder: Path) -> Path:
    """Return the wheel of the lock file. Download it if it is missing or damaged."""
    (wanted,) = re.findall(r"sha256:([0-9a-f]{64})", LOCK.read_text())
    for file in folder.glob("*.whl"):
        if hashlib.sha256(file.read_bytes()).hexdigest() == wanted:
            return file
    folder.mkdir(parents=True, exist_ok=True)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download")
    options = ("--no-deps", "--require-hashes", "--only-binary=:all:", *_PLATFORM)
    run(*pip, *options, "--dest", folder, "--requirement", LOCK)
    return _wheel(folder)


def _version(program: Path) -> str:
    output = run(program, "version")
    match = re.match(r"Xray (\d+\.\d+\.\d+)", output)
    if not match:
        raise LabError(f"{program} is no xray: it says {output[:80]!r}")
    return match[1]
