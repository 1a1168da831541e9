"""Unpack the program of a release, and read its version and machine."""

import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

from ops.errors import CoreError
from ops.files import ContentError, must_be_file, sentence

_MACHINES = {62: "x86_64", 183: "aarch64", 40: "armv7l"}
"""Machine numbers of ELF (e_machine), and their ``uname -m``."""
_MACHINE = slice(18, 20)
"""The bytes of e_machine in an ELF file."""
_VERSION = re.compile(r"^Xray (\d+\.\d+\.\d+)")


def extract(archive: Path, folder: Path) -> Path:
    """Unpack the release *archive* into *folder*, and return the path of the program.

    Raises:
        CoreError: *archive* is not a zip file, or has no program ``xray``.
    """
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
        raise CoreError(f"{archive} is not a release of Xray: it has no file xray")
    program.chmod(0o755)
    return program


def machine_of(archive: Path) -> str:
    """Return the ``uname -m`` of machines that can run the program in *archive*.

    Raises:
        CoreError: it is not a program for Linux on a known machine.
    """
    with tempfile.TemporaryDirectory() as folder, extract(archive, Path(folder)).open("rb") as file:
        head = file.read(_MACHINE.stop)
    number = int.from_bytes(head[_MACHINE], "little")
    if head.startswith(b"\x7fELF") and number in _MACHINES:
        return _MACHINES[number]
    raise CoreError(f"{archive} holds no program for Linux on {', '.join(_MACHINES.values())}")


def version_of(archive: Path) -> str:
    """Return the version of the program in *archive*, which must run on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        return ask_version(extract(archive, Path(folder)))


def ask_version(program: Path) -> str:
    """Run *program* and return its version.

    Raises:
        CoreError: it does not run on this machine, or is not Xray.
    """
    try:
        answer = subprocess.run(
            [program, "version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CoreError(f"{program} does not run here: {reason}") from None
    if version := _VERSION.match(answer):
        return version[1]
    raise CoreError(f"{program} does not print its version: {answer[:80]!r}")
