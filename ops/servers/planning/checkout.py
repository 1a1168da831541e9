"""The git commit of the fleet's folder, and the name of the operator."""

import getpass
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.errors import UsageError
from ops.fleet.git import git
from ops.servers.planning.history import hashes

_SOURCES = (
    "inventory",
    "templates",
    ":(exclude)inventory/known_hosts",
    ":(exclude)**/__pycache__",
)
"""The paths, for git, of the files that the set of a host is rendered from."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The state of a fleet's folder in git."""

    folder: Path
    commit: str
    """The full id of HEAD. Empty if the folder is in no repository."""
    clean: bool
    """Whether there is a commit, and no uncommitted change of the fleet."""
    who: str
    """The operator, as ``user@machine``."""
    uncommitted: tuple[str, ...] = ()
    """Files of the fleet that differ from the commit. Every file, if there is no commit yet."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """By uncommitted file: the hash that git would give it."""

    def lacks(self, commit: str) -> bool:
        """Return whether the history of this checkout does not contain *commit*."""
        if not self.commit:
            return True
        return git(self.folder, "merge-base", "--is-ancestor", commit, "HEAD").returncode != 0


def checkout(folder: Path) -> Checkout:
    """Return the present state of *folder* in git."""
    who = f"{_user()}@{socket.gethostname()}"
    try:
        head = git(folder, "rev-parse", "HEAD")
    except UsageError:  # a machine without git is like a folder in no repository
        return Checkout(folder, "", clean=False, who=who)
    commit = head.stdout.decode().strip() if head.returncode == 0 else ""
    changed = tuple(_changed(folder))
    contents = hashes(folder, changed)
    return Checkout(folder, commit, bool(commit) and not changed, who, changed, contents)


def _user() -> str:
    """Return the name of this user, or the user id if it has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _changed(folder: Path) -> Iterator[str]:
    """Yield the source files of sets that differ from the commit. None outside a repository."""
    options = ("--porcelain", "-z", "--no-renames", "--untracked-files=all")
    inside = git(folder, "rev-parse", "--show-prefix")
    if inside.returncode:
        return
    prefix = inside.stdout.decode(errors="replace").strip()
    status = git(folder, "status", *options, "--", *_SOURCES)
    for entry in status.stdout.decode(errors="replace").split("\0"):
        if entry:
            yield entry[3:].removeprefix(prefix)
