"""Put the commit that a package is built from into the package: `ops --version` prints it."""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMMIT = "ops/commit.txt"


class CommitHook(BuildHookInterface):  # type: ignore[type-arg]
    """A build hook of hatchling."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file with the commit, unless the sources have it already (an sdist)."""
        if version == "editable" or (Path(self.root) / COMMIT).exists():
            return
        if commit := _commit(self.root):
            file = Path(self.root) / "build" / "commit.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{commit}\n")
            build_data["force_include"][str(file)] = COMMIT


def _commit(root: str) -> str:
    """Return HEAD of the repository in *root*; empty without git or a repository."""
    if not (Path(root) / ".git").exists():
        return ""
    command = ["git", "-C", root, "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
