"""Which commit of the fleet is rolled out, and by whom."""

import getpass
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MADE = ("inventory", "templates", ":(exclude)inventory/known_hosts", ":(exclude)**/__pycache__")
"""What the set of a host is made from."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A fleet's folder as git sees it."""

    folder: Path
    commit: str
    """Nothing if the folder is in no repository."""
    clean: bool
    who: str
    uncommitted: tuple[str, ...] = ()
    """Files of the fleet that are not as the commit has them."""

    def lacks(self, commit: str) -> bool:
        """Return whether *commit* is no part of what is checked out here."""
        return _git(self.folder, "merge-base", "--is-ancestor", commit, "HEAD").returncode != 0


def checkout(folder: Path) -> Checkout:
    """Return *folder* as git sees it now."""
    head = _git(folder, "rev-parse", "HEAD")
    commit = head.stdout.strip() if head.returncode == 0 else ""
    changed = tuple(_changed(folder)) if commit else ()
    who = f"{_user()}@{socket.gethostname()}"
    return Checkout(folder, commit, bool(commit) and not changed, who, changed)


def _user() -> str:
    """Return the name of this user; its number where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _changed(folder: Path) -> Iterator[str]:
    """Yield the files that sets are made from and that differ from the commit."""
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *_MADE)
    prefix = _git(folder, "rev-parse", "--show-prefix").stdout.strip()
    for entry in _git(folder, *words).stdout.split("\0"):
        if entry:
            yield entry[3:].removeprefix(prefix)


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git on this machine: as if in no repository
        return subprocess.CompletedProcess(command, 127, "", "")
