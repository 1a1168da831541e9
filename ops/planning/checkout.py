"""Which commit of the fleet is rolled out, and by whom."""

import getpass
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Checkout:
    """A fleet's folder as git sees it."""

    folder: Path
    commit: str
    """Nothing if the folder is in no repository."""
    clean: bool
    who: str

    def lacks(self, commit: str) -> bool:
        """Return whether *commit* is no part of what is checked out here."""
        return _git(self.folder, "merge-base", "--is-ancestor", commit, "HEAD").returncode != 0


def checkout(folder: Path) -> Checkout:
    """Return *folder* as git sees it now."""
    head = _git(folder, "rev-parse", "HEAD")
    commit = head.stdout.strip() if head.returncode == 0 else ""
    changed = _git(folder, "status", "--porcelain", "--", ".").stdout.strip()
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    return Checkout(folder, commit, bool(commit) and not changed, who)


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git on this machine: as if in no repository
        return subprocess.CompletedProcess(command, 127, "", "")
