"""The real ``xray`` program and its release archive, out of the pinned wheel."""

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
"""The wheel that the lock's hash is of, whichever Python is running."""


@dataclass(frozen=True, slots=True)
class CoreFiles:
    """Where the core lies, ready to be used."""

    version: str
    program: Path
    archive: Path
    """Shaped like the release's zip; its ``.dgst`` lies beside it."""
    sha256: str
    """Of the archive: what the inventory pins."""


def ensure_core(
    folder: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> CoreFiles:
    """Return the core, made now unless it was before; copied to *folder* if one is given."""
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
    """Return a hash of all that decides the bytes."""
    sources = (LOCK, Path(elf.__file__), Path(archive.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]


@cache  # clients and fleets ask by the hundred, and each sum is of 40 MB
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
        found = [name for name in packed.namelist() if re.fullmatch(r"xray/[^/]+\.so", name)]
        if len(found) != 1:
            raise LabError(f"{wheel.name} holds {len(found)} libraries of xray, not one")
        return packed.read(found[0])


def _wheel(folder: Path) -> Path:
    """Return the locked wheel, downloaded unless it is there whole."""
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
    said = run(program, "version")
    found = re.match(r"Xray (\d+\.\d+\.\d+)", said)
    if not found:
        raise LabError(f"{program} is no xray: it says {said[:80]!r}")
    return found[1]
