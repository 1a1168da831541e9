"""Facts about this installation of xray-ops: its version, its commit and its source."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ops.errors import UsageError
from ops.fleet.git import git

_OPS = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One installation."""

    version: str
    commit: str = ""
    """Empty if it is unknown: a package that was built outside a repository."""
    source: str = ""
    """A wheel's path, or ``git+URL@COMMIT``. Empty if pip has not recorded it (an index)."""


@cache
def installed() -> Installed:
    """Return the facts about the running program.

    They come from pip's record of the source (PEP 610), from the commit in the wheel, and in a
    checkout from git.
    """
    package = distribution("xray-ops")
    record = _record(package)
    if record.get("dir_info", {}).get("editable"):
        checkout = Path(unquote(urlsplit(record["url"]).path))
        commit = _git(checkout, "rev-parse", "HEAD")
        return Installed(
            version=package.version, commit=commit, source=_published(checkout, commit)
        )
    vcs = record.get("vcs_info", {})
    commit = vcs.get("commit_id") or _built_from()
    return Installed(version=package.version, commit=commit, source=_source(record, commit))


def _record(package: Distribution) -> dict[str, Any]:
    text = package.read_text("direct_url.json")
    record: dict[str, Any] = json.loads(text) if text else {}
    return record


def _built_from() -> str:
    file = _OPS / "commit.txt"
    return file.read_text().strip() if file.exists() else ""


def _source(record: dict[str, Any], commit: str) -> str:
    url = str(record.get("url", ""))
    if record.get("vcs_info", {}).get("vcs") == "git":
        return f"git+{url}@{commit}"
    if url.startswith("file:") and url.endswith(".whl"):
        wheel = Path(unquote(urlsplit(url).path))
        return str(wheel) if wheel.exists() else ""
    return ""


def _published(checkout: Path, commit: str) -> str:
    """Return the remote of *checkout* at *commit*; empty if no remote branch has that commit."""
    remote = _git(checkout, "remote", "get-url", "origin")
    if not remote.startswith(("https://", "ssh://")) or "@" in urlsplit(remote).netloc:
        return ""
    shared = _git(checkout, "branch", "--remotes", "--contains", commit)
    return f"git+{remote}@{commit}" if commit and shared else ""


def _git(folder: Path, *words: str) -> str:
    """Return the output of git; empty if it fails or is not installed."""
    try:
        process = git(folder, *words)
    except UsageError:
        return ""
    return process.stdout.decode(errors="replace").strip() if process.returncode == 0 else ""
