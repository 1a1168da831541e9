"""Read the fleet of another commit from git into a private folder, and validate it."""

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ops.errors import FleetError, Problem, UsageError
from ops.fleet import inventory
from ops.fleet.git import commit, git, paths_in
from ops.model import Fleet

_HOSTS = "inventory/hosts.toml"
_READ = (_HOSTS, "inventory/keys.toml", "inventory/issued.toml", "templates")
"""The files that a fleet is rendered from. Secrets are not needed, so they are not read."""


@contextmanager
def fleet_at(folder: Path, revision: str) -> Iterator[Fleet]:
    """Yield the fleet of *folder* at the commit *revision*. Its files are deleted at the end.

    Raises:
        UsageError: there is no such commit, or no fleet in it.
        FleetError: the fleet does not validate. Files are named ``REVISION:path``.
    """
    with tempfile.TemporaryDirectory(prefix="xray-ops-") as private:
        extracted = Path(private).resolve()
        _extract(folder, revision, extracted)
        with named_at(revision, extracted):
            fleet = inventory.load(extracted, passing=True)
        yield fleet


def _extract(folder: Path, revision: str, target: Path) -> None:
    full_id = commit(folder, revision)
    paths = paths_in(folder, full_id, _READ)
    if _HOSTS not in paths:
        raise UsageError(f"{revision} holds no {_HOSTS}: there was no fleet in {folder} yet")
    packed = git(folder, "archive", "--format=tar", full_id, "--", *paths)
    if packed.returncode:
        raise UsageError(f"git cannot read {revision}: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        for member in tar:
            if not _unpack(tar, member, target):
                message = "is a link that leads out of the fleet's folder"
                raise FleetError([Problem(f"{revision}:{member.name}", 0, message)])


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> bool:
    """Unpack *member* into *target*. Return False if it, or its link, leads out of *target*.

    `TarFile.extract` has no filter for this in the Python of Debian 12 (3.11.2).
    """
    path = target / member.name
    destination = path.parent / member.linkname if member.issym() else path
    if not destination.resolve().is_relative_to(target):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        path.symlink_to(member.linkname)
    elif content := tar.extractfile(member):
        path.write_bytes(content.read())
    return True


@contextmanager
def named_at(revision: str, folder: Path) -> Iterator[None]:
    """Rename files in FleetError from their path in *folder* to ``REVISION:path``."""
    try:
        yield
    except FleetError as error:
        raise FleetError(
            [replace(p, file=_named(revision, p.file, folder)) for p in error.problems]
        ) from None


def _named(revision: str, file: str, folder: Path) -> str:
    full = Path(file).resolve()
    return f"{revision}:{full.relative_to(folder) if full.is_relative_to(folder) else file}"
