"""The fleet as it was at another commit: read from git into a private folder, and validated."""

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ops.errors import FleetError, Problem, UsageError
from ops.fleet import inventory
from ops.model import Fleet
from ops.servers.changes.git import commit, git, listed

_HOSTS = "inventory/hosts.toml"
_READ = (_HOSTS, "inventory/keys.toml", "inventory/issued.toml", "templates")
"""What a fleet is rendered from; secrets are not needed, and not read."""


@contextmanager
def fleet_at(folder: Path, revision: str) -> Iterator[Fleet]:
    """Yield the fleet in *folder* as it was at *revision*; gone afterwards.

    Raises:
        UsageError: there is no such commit, or no fleet in it.
        FleetError: it does not validate; its files are called ``REVISION:path``.
    """
    with tempfile.TemporaryDirectory(prefix="xray-ops-") as private:
        there = Path(private).resolve()
        _extract(folder, revision, there)
        with told_of(revision, there):
            fleet = inventory.load(there, passing=True)
        yield fleet


def _extract(folder: Path, revision: str, there: Path) -> None:
    found = commit(folder, revision)
    held = listed(folder, found, _READ)
    if _HOSTS not in held:
        raise UsageError(f"{revision} holds no {_HOSTS}: there was no fleet in {folder} yet")
    packed = git(folder, "archive", "--format=tar", found, "--", *held)
    if packed.returncode:
        raise UsageError(f"git cannot read {revision}: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        for member in tar:
            if not _put(tar, member, there):
                message = "is a link that leads out of the fleet's folder"
                raise FleetError([Problem(f"{revision}:{member.name}", 0, message)])


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, there: Path) -> bool:
    """Put *member* where it belongs; False if it, or what it is a link to, is not in *there*.

    By hand, for Debian 12's Python (3.11.2) has no filter for what is unpacked.
    """
    place = there / member.name
    meant = place.parent / member.linkname if member.issym() else place
    if not meant.resolve().is_relative_to(there):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        place.symlink_to(member.linkname)
    elif content := tar.extractfile(member):
        place.write_bytes(content.read())
    return True


@contextmanager
def told_of(revision: str, there: Path) -> Iterator[None]:
    """Have problems of the files in *there* told by their names at *revision*."""
    try:
        yield
    except FleetError as error:
        raise FleetError(
            [replace(p, file=_named(revision, p.file, there)) for p in error.problems]
        ) from None


def _named(revision: str, file: str, there: Path) -> str:
    full = Path(file).resolve()
    return f"{revision}:{full.relative_to(there) if full.is_relative_to(there) else file}"
