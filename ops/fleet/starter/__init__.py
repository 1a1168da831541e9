"""The files of a new fleet: most lie beside this module, some are those of the example fleet."""

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
"""Where each CI system looks for its file, and ours for it."""
_SHARED = ("deploy.py", "config.py", "inventory/__init__.py")
"""The very files that our own example fleet runs on; an installed package holds copies."""

NEXT = """\
  ops core pin VERSION          # which Xray core, and its checksum
  ops hosts trust NAME          # each server's ssh host key, compared by you
  ops secrets fill              # UUIDs, passwords, REALITY keys
  ops validate
  pyinfra inventory deploy.py   # shows what would change, and asks
  ops traffic
  ops collect                   # into the ledger; systemd/ has a service for it"""


def write(folder: Path, ci: str = "") -> tuple[list[str], list[str]]:
    """Write a new fleet into *folder*; return the names written, and those there before.

    *ci* is a name in :data:`CI`, or nothing.
    """
    files = _FILES | (dict([CI[ci]]) if ci else {})
    sources = {name: _HERE / source for name, source in files.items()}
    sources |= {name: _shared(name) for name in _SHARED}
    written: list[str] = []
    kept: list[str] = []
    for name, source in sources.items():
        (written if _written(folder / name, source) else kept).append(name)
    return written, kept


def write_ci(folder: Path, ci: str) -> tuple[str, bool]:
    """Write the job of *ci* alone into the fleet in *folder*.

    Return its name, and whether it is new.
    """
    name, source = CI[ci]
    return name, _written(folder / name, _HERE / source)


def write_requirements(folder: Path, source: str) -> list[str]:
    """Write requirements.txt, which installs this version of ops from *source*.

    Return the names written. UsageError if *source* is no wheel, repository or index.
    """
    return requirements.write(folder, source, installed(), _shared("requirements.lock"))


def _written(target: Path, source: Path) -> bool:
    """Write *target* unless it is there; return whether it was written."""
    if exists(target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, source.read_bytes())
    return True


def _shared(name: str) -> Path:
    packaged = _HERE / name
    return packaged if packaged.exists() else _CHECKOUT / name
