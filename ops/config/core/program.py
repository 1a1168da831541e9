"""Ask the program in a release what it is."""

import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

from ops.errors import CoreError
from ops.files import ContentError, must_be_file, sentence

_MACHINES = {62: "x86_64", 183: "aarch64", 40: "armv7l"}
"""ELF's numbers of machines, and their ``uname -m``."""
_MACHINE = slice(18, 20)
"""Where an ELF file says it."""
_VERSION = re.compile(r"^Xray (\d+\.\d+\.\d+)")


def extract(archive: Path, folder: Path) -> Path:
    """Unpack the release *archive* into *folder*; return the program in it."""
    try:
        must_be_file(archive)
        with zipfile.ZipFile(archive) as release:
            release.extractall(folder)
    except ContentError as error:
        raise CoreError(sentence(error)) from None
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise CoreError(f"{archive} cannot be unpacked: {error}") from None
    program = folder / "xray"
    if not program.is_file():
        raise CoreError(f"{archive} is no release of Xray: there is no xray in it")
    program.chmod(0o755)
    return program


def machine_of(archive: Path) -> str:
    """Return the ``uname -m`` of the machines that the program in *archive* is made for."""
    with tempfile.TemporaryDirectory() as folder, extract(archive, Path(folder)).open("rb") as file:
        head = file.read(_MACHINE.stop)
    number = int.from_bytes(head[_MACHINE], "little")
    if head.startswith(b"\x7fELF") and number in _MACHINES:
        return _MACHINES[number]
    raise CoreError(f"{archive} holds no program for Linux on {', '.join(_MACHINES.values())}")


def version_of(archive: Path) -> str:
    """Return the version of the program in *archive*, as the program says it."""
    with tempfile.TemporaryDirectory() as folder:
        return ask_version(extract(archive, Path(folder)))


def ask_version(program: Path) -> str:
    """Return the version of *program*, as it says it; CoreError if it is no Xray that runs here."""
    try:
        answer = subprocess.run(
            [program, "version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CoreError(f"{program} does not run here: {reason}") from None
    if found := _VERSION.match(answer):
        return found[1]
    raise CoreError(f"{program} does not say its version: {answer[:80]!r}")
