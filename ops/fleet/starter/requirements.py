"""The requirements.txt of a fleet: it installs this version of ops from a named source.

A bare package name is never written. Anybody can register a name on an index, and its code would
run in a CI with the deploy secrets.
"""

import hashlib
import re
from pathlib import Path

from ops.errors import UsageError
from ops.files import read_bytes, write_atomically
from ops.fleet.starter.installed import Installed

NAME = "requirements.txt"
_HEAD = "# The tool of this fleet, pinned. Upgrade: `ops init . --source NEW` writes it anew.\n"
_PINNED = re.compile(r"^([\w.-]+==\S+(?: ; .+?)?) \\$", re.MULTILINE)
_COMMIT = re.compile(r"@[0-9a-f]{40}$")


def write(folder: Path, source: str, installed: Installed, lock: Path) -> list[str]:
    """Write requirements.txt into *folder*, and for a wheel its copy; return their names.

    *source* is a wheel's path, ``git+URL[@COMMIT]`` or an index's ``https://`` URL. *lock* is the
    lock of the dependencies. UsageError if *source* is none of them.
    """
    if source.endswith(".whl") and "://" not in source:
        return _of_wheel(folder, Path(source), lock)
    lines = (
        _of_git(source, installed) if source.startswith("git+") else _of_index(source, installed)
    )
    pinned = _PINNED.findall(lock.read_text())
    _save(folder, "\n".join([*lines, *pinned]) + "\n")
    return [NAME]


def _of_wheel(folder: Path, wheel: Path, lock: Path) -> list[str]:
    """Copy *wheel* into the fleet, and pin it and all dependencies by SHA-256."""
    if not re.fullmatch(r"xray_ops-[\w.+]+-py3-none-any\.whl", wheel.name):
        raise UsageError(f"{wheel}: a wheel of xray-ops is named xray_ops-VERSION-py3-none-any.whl")
    packed = read_bytes(wheel)
    name = f"wheels/{wheel.name}"
    (folder / "wheels").mkdir(parents=True, exist_ok=True)
    write_atomically(folder / name, packed)
    pin = f"./{name} --hash=sha256:{hashlib.sha256(packed).hexdigest()}\n"
    _save(folder, pin + lock.read_text())
    return [NAME, name]


def _of_git(source: str, installed: Installed) -> list[str]:
    """Return the line that installs a commit; *source* may leave out the commit of this ops."""
    if not _COMMIT.search(source):
        if not installed.commit:
            raise UsageError(f"{source}: add the commit: {source}@FULL-COMMIT-HASH")
        source = f"{source}@{installed.commit}"
    return [f"xray-ops @ {source}"]


def _of_index(source: str, installed: Installed) -> list[str]:
    if not source.startswith("https://"):
        raise UsageError(
            f"--source {source}: give a wheel (dist/xray_ops-{installed.version}-py3-none-any.whl),"
            " a repository (git+https://...@COMMIT) or the URL of an index (https://...)"
        )
    return [f"--index-url {source}", f"xray-ops=={installed.version}"]


def _save(folder: Path, text: str) -> None:
    write_atomically(folder / NAME, (_HEAD + text).encode())
