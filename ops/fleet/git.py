"""Run git for one folder of a repository."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ops.errors import UsageError

_SET_BY_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Variables that a git hook sets for its own repository. The folder may be in another one."""


def git(folder: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    """Run git in *folder* and return the ended process, even after a failure.

    UsageError if git is not installed.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _SET_BY_HOOKS}
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(command, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise UsageError("git is not installed here, but reading another commit needs it") from None


def commit(folder: Path, revision: str) -> str:
    """Return the full id of the commit *revision*; UsageError if there is no such commit."""
    inside = git(folder, "rev-parse", "--show-prefix")
    if inside.returncode:
        complaints = inside.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"{folder}: git says: {complaints[0] if complaints else 'no repository'}")
    options = ("--verify", "--quiet", "--end-of-options")
    parsed = git(folder, "rev-parse", *options, f"{revision}^{{commit}}")
    if parsed.returncode and not git(folder, "rev-list", "--max-count=1", "--all").stdout:
        raise UsageError("this repository has no commit yet: `git add -A && git commit` first")
    if parsed.returncode:
        raise UsageError(
            f"there is no commit {revision!r} here; a shallow clone lacks all but the newest: "
            "`git fetch --unshallow`, or `fetch-depth: 0` in a workflow"
        )
    return parsed.stdout.decode().strip()


def paths_in(folder: Path, commit: str, paths: Sequence[str]) -> list[str]:
    """Return those of *paths*, relative to *folder*, that *commit* contains."""
    tree = git(folder, "ls-tree", "-z", "--name-only", commit, "--", *paths)
    return [name for name in tree.stdout.decode(errors="replace").split("\0") if name]


def differs(folder: Path, commit: str, path: str) -> bool:
    """Return whether *path* in *folder* differs from its state at *commit*."""
    return git(folder, "diff", "--quiet", commit, "--", path).returncode == 1
