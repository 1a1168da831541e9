"""``ops core``: releases of the Xray core."""

import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from ops.cli.asking.options import fleet_option
from ops.cli.printing import console
from ops.config.core import ARCHIVES, archive, keep
from ops.config.core.cache import fetch_release, pinned
from ops.config.core.download import Progress
from ops.config.core.pin import pin as pin_core
from ops.config.core.program import machine_of, version_of
from ops.errors import CoreError, UsageError
from ops.reporting.selection import Selection

_archive_option = click.option(
    "--archive",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take the zip of the release from this file.",
)
_machine_option = click.option(
    "--machine",
    type=click.Choice(list(ARCHIVES)),
    help="The servers' `uname -m` (default: that of the archive, or x86_64).",
)


@contextmanager
def _percent() -> Iterator[Progress]:
    """Show the progress of a download in percent."""
    shown = 0
    with console.progress("Downloading", 100) as advance:

        def progress(here: int, whole: int) -> None:
            nonlocal shown
            while whole and shown < here * 100 // whole:
                shown += 1
                advance()

        yield progress


@click.group()
def core() -> None:
    """Fetch and pin releases of the Xray core.

    \b
    Example:
      ops core pin --archive Xray-linux-64.zip
    """


@core.command()
@_archive_option
@click.option(
    "--mirror",
    metavar="URL",
    help="Download from here instead of hosts.toml's url; {version} and {file} are replaced.",
)
@_machine_option
@fleet_option
def fetch(selection: Selection, file: Path | None, mirror: str | None, machine: str | None) -> None:
    """Download the pinned release into the cache of this machine, and check its SHA-256.

    The download uses the proxy in https_proxy. It continues an interrupted download.

    \b
    Example:
      ops core fetch
      ops core fetch --mirror "https://mirror.example.net/xray/{version}/{file}"
    """
    pinned_core = selection.fleet.core
    machine = machine or "x86_64"
    if mirror:
        pinned_core = replace(pinned_core, url=mirror)
    if file:
        keep(file, pinned(pinned_core, machine))
    else:
        with _percent() as progress:
            archive(pinned_core, machine, progress)
    click.echo(f"core {pinned_core.version} for {machine} is in the cache, and is the pinned one")


@core.command()
@click.argument("version", required=False)
@_archive_option
@_machine_option
@fleet_option
def pin(selection: Selection, version: str | None, file: Path | None, machine: str | None) -> None:
    """Write the version and the SHA-256 of a release into hosts.toml, and its zip into the cache.

    VERSION, such as 26.10.10, is downloaded. For an archive, version and machine are read from
    the program in it. If that program does not run here, give VERSION too.

    Compare the printed SHA-256 with another source: from now on every host gets exactly this
    file.

    \b
    Example:
      ops core pin 26.10.10
      ops core pin --archive Xray-linux-64.zip
    """
    if not (version or file):
        raise click.UsageError("name a VERSION to download, or an --archive")
    before = selection.fleet.core
    version = _version(version) if version else None
    if file:
        machine = _machine(file, machine)
        version, sha256 = _version_in(file, version, machine), keep(file)
    else:
        assert version  # noqa: S101
        machine = machine or "x86_64"
        with _percent() as progress:
            sha256 = fetch_release(before, version, machine, progress)
    lost = pin_core(selection.fleet.folder, version, {machine: sha256})
    click.echo(f"hosts.toml pins core {version} for {machine}, SHA-256 {sha256}")
    for other in lost:
        click.echo(
            f"the sum for {other} was core {before.version}'s and is gone: "
            f"`ops core pin {version} --machine {other}` pins that one, too",
            err=True,
        )


def _version(written: str) -> str:
    """Return *written* without the leading v of release pages; raises UsageError otherwise."""
    version = written.removeprefix("v")
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise UsageError(f"{written!r} is no version: write a release's number, as 26.10.10")
    return version


def _machine(file: Path, asked: str | None) -> str:
    """Return the machine of the program in *file*; raises CoreError if *asked* is another."""
    machine = machine_of(file)
    if asked not in (None, machine):
        raise CoreError(
            f"{file} holds a program for {machine}, not for {asked}: that one's archive is called "
            f"{ARCHIVES[asked]}"
        )
    return machine


def _version_in(file: Path, asked: str | None, machine: str) -> str:
    """Return the version that the program in *file* prints, or *asked* if it does not run here."""
    if machine != platform.machine():
        if asked:
            return asked
        raise UsageError(
            f"a program for {machine} does not run here and cannot say its version: "
            f"`ops core pin VERSION --archive {file}`"
        )
    version = version_of(file)
    if asked not in (None, version):
        raise CoreError(f"{file} holds core {version}, not {asked}")
    return version
