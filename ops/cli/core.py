"""``ops core``: releases of the Xray core."""

import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from ops.cli.options import Selected, fleet_option
from ops.cli.printing import console
from ops.config.core import ARCHIVES, archive, keep
from ops.config.core.cache import fetch_release, pinned
from ops.config.core.download import Progress
from ops.config.core.pin import pin as pin_core
from ops.config.core.program import machine_of, version_of
from ops.errors import CoreError, UsageError

_archive_option = click.option(
    "--archive",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A release's zip that is here already.",
)
_machine_option = click.option(
    "--machine",
    type=click.Choice(list(ARCHIVES)),
    help="The servers' `uname -m` (default: the archive's, or x86_64).",
)


@contextmanager
def _percent() -> Iterator[Progress]:
    """Show how far a download is."""
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
    """Keep releases of the Xray core: fetched once, checked, handed to the hosts.

    \b
    Example:
      ops core pin --archive Xray-linux-64.zip
    """


@core.command()
@_archive_option
@click.option(
    "--mirror",
    metavar="URL",
    help="Another place than hosts.toml's url; {version} and {file} are filled in.",
)
@_machine_option
@fleet_option
def fetch(selected: Selected, file: Path | None, mirror: str | None, machine: str | None) -> None:
    """Put the pinned release into this machine's cache, if its SHA-256 is the pinned one.

    Goes through the proxy of the environment (https_proxy), and on where it broke off before.

    \b
    Example:
      ops core fetch
      ops core fetch --mirror "https://mirror.example.net/xray/{version}/{file}"
    """
    pinned_core = selected.fleet.core
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
def pin(selected: Selected, version: str | None, file: Path | None, machine: str | None) -> None:
    """Write a release's version and SHA-256 into hosts.toml, and keep its zip in the cache.

    VERSION is downloaded (26.10.10, say). An archive's version and machine are read from the
    program in it; one that does not run here needs VERSION, too.

    A sum that you have not compared with another source is only what the download happened to
    be: from here on, nothing else is ever installed.

    \b
    Example:
      ops core pin 26.10.10
      ops core pin --archive Xray-linux-64.zip
    """
    if not (version or file):
        raise click.UsageError("name a VERSION to download, or an --archive")
    before = selected.fleet.core
    version = _version(version) if version else None
    if file:
        machine = _machine(file, machine)
        version, sha256 = _version_in(file, version, machine), keep(file)
    else:
        assert version  # noqa: S101
        machine = machine or "x86_64"
        with _percent() as progress:
            sha256 = fetch_release(before, version, machine, progress)
    lost = pin_core(selected.fleet.folder, version, {machine: sha256})
    click.echo(f"hosts.toml pins core {version} for {machine}, SHA-256 {sha256}")
    for other in lost:
        click.echo(
            f"the sum for {other} was core {before.version}'s and is gone: "
            f"`ops core pin {version} --machine {other}` pins that one, too",
            err=True,
        )


def _version(said: str) -> str:
    """Return *said* as hosts.toml has it: release pages write v26.10.10."""
    found = said.removeprefix("v")
    if not re.fullmatch(r"\d+\.\d+\.\d+", found):
        raise UsageError(f"{said!r} is no version: write a release's number, as 26.10.10")
    return found


def _machine(file: Path, asked: str | None) -> str:
    """Return the machines that *file* is for; CoreError where others were named."""
    found = machine_of(file)
    if asked not in (None, found):
        raise CoreError(
            f"{file} holds a program for {found}, not for {asked}: that one's archive is called "
            f"{ARCHIVES[asked]}"
        )
    return found


def _version_in(file: Path, asked: str | None, machine: str) -> str:
    """Return the version of the program in *file*: what it says itself, where it runs here."""
    if machine != platform.machine():
        if asked:
            return asked
        raise UsageError(
            f"a program for {machine} does not run here and cannot say its version: "
            f"`ops core pin VERSION --archive {file}`"
        )
    found = version_of(file)
    if asked not in (None, found):
        raise CoreError(f"{file} holds core {found}, not {asked}")
    return found
