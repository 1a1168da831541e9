"""Ask git, about one folder of a repository."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ops.errors import UsageError

_SET_BY_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""A hook's own repository; the folder that we are asked about may be in another."""


def git(folder: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    """Run git in *folder*, whatever comes of it; UsageError where there is no git."""
    settings = {name: held for name, held in os.environ.items() if name not in _SET_BY_HOOKS}
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(command, capture_output=True, check=False, env=settings)
    except FileNotFoundError:
        raise UsageError("git is not installed here, and another commit is read with it") from None


def commit(folder: Path, revision: str) -> str:
    """Return the commit that *revision* names; UsageError where it names none."""
    inside = git(folder, "rev-parse", "--show-prefix")
    if inside.returncode:
        said = inside.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"{folder}: git says: {said[0] if said else 'no repository'}")
    asked = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = git(folder, "rev-parse", *asked)
    if found.returncode:
        raise UsageError(
            f"there is no commit {revision!r} here; a shallow clone lacks all but the newest: "
            "`git fetch --unshallow`, or `fetch-depth: 0` in a workflow"
        )
    return found.stdout.decode().strip()


def listed(folder: Path, commit: str, paths: Sequence[str]) -> list[str]:
    """Return those of *paths*, seen from *folder*, that *commit* holds."""
    found = git(folder, "ls-tree", "-z", "--name-only", commit, "--", *paths)
    return [name for name in found.stdout.decode(errors="replace").split("\0") if name]


def differs(folder: Path, commit: str, path: str) -> bool:
    """Return whether *path* in *folder* is not what it is at *commit*."""
    return git(folder, "diff", "--quiet", commit, "--", path).returncode == 1
