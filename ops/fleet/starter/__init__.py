"""The files of a new fleet: most lie beside this module, others are the example fleet's own."""

from pathlib import Path

from ops.files import exists, write_atomically
from ops.fleet.starter import requirements
from ops.fleet.starter.installed import installed

_HERE = Path(__file__).parent
_CHECKOUT = _HERE.parents[2]
_FILES = {
    "inventory/hosts.toml": "hosts.toml",
    "inventory/keys.toml": "keys.toml",
    ".gitignore": "gitignore",
    "README.md": "readme.md",
} | {
    f"systemd/{unit}": f"systemd/{unit}"
    for unit in ("ops-collect.service", "ops-collect-once.service", "ops-collect-once.timer")
}
CI = {
    "github": (".github/workflows/fleet.yml", "ci/github.yml"),
    "gitlab": (".gitlab-ci.yml", "ci/gitlab.yml"),
}
"""For each CI system the path of its file in a fleet, and the source here."""
_SHARED = ("deploy.py", "config.py", "inventory/__init__.py")
"""Files of the example fleet in this repository. An installed package has copies."""

NEXT = """\
  ops core pin VERSION          # which Xray core, and its checksum
  ops hosts trust NAME          # each server's ssh host key, compared by you
  ops secrets fill              # UUIDs, passwords, REALITY keys
  ops validate
  pyinfra inventory deploy.py   # shows what would change, and asks
  ops traffic
  ops collect                   # into the ledger; systemd/ has a service for it"""


def write(folder: Path, ci: str = "") -> tuple[list[str], list[str]]:
    """Write a new fleet into *folder*; return the names of new files, and of files that existed.

    Files that exist are not changed. *ci* is a name in :data:`CI`, or empty.
    """
    files = _FILES | (dict([CI[ci]]) if ci else {})
    sources = {name: _HERE / source for name, source in files.items()}
    sources |= {name: _shared(name) for name in _SHARED}
    written: list[str] = []
    existing: list[str] = []
    for name, source in sources.items():
        (written if _written(folder / name, source) else existing).append(name)
    return written, existing


def write_ci(folder: Path, ci: str) -> tuple[str, bool]:
    """Write only the job of *ci* into the fleet in *folder*.

    Return the name of the file, and whether it is new.
    """
    name, source = CI[ci]
    return name, _written(folder / name, _HERE / source)


def write_requirements(folder: Path, source: str) -> list[str]:
    """Write requirements.txt, which installs this version of ops from *source*.

    Return the names written. UsageError if *source* is no wheel, repository or index.
    """
    return requirements.write(folder, source, installed(), _shared("requirements.lock"))


def _written(target: Path, source: Path) -> bool:
    """Write *target* unless it exists; return whether it was written."""
    if exists(target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, source.read_bytes())
    return True


def _shared(name: str) -> Path:
    packaged = _HERE / name
    return packaged if packaged.exists() else _CHECKOUT / name
