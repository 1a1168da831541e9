"""``ops init``: a new fleet folder."""

import sys
from pathlib import Path

import click

from ops.errors import UsageError
from ops.fleet import inventory, starter
from ops.fleet.starter.installed import installed
from ops.fleet.starter.requirements import NAME
from ops.model.phrases import counted

_QUESTION = """\
CI and other machines install xray-ops from requirements.txt. From which source?
A wheel (dist/xray_ops-...whl), git+https://...@COMMIT, or the https:// URL of your index"""


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option(
    "--ci",
    type=click.Choice(list(starter.CI)),
    help="Write a CI job that validates each commit.",
)
@click.option(
    "--source",
    metavar="SOURCE",
    help="Install ops in CI from this wheel, git+https://...@COMMIT or https:// index.",
)
def init(folder: Path | None, ci: str | None, source: str | None) -> None:
    """Write a new fleet into FOLDER: commented, valid, ready for git.

    Existing files stay unchanged. Inside a fleet, `ops init --ci github` adds only the CI job.
    requirements.txt names the source of this ops if pip has recorded it; else give --source.

    \b
    Example:
      ops init my-fleet
      ops init my-fleet --ci gitlab --source dist/xray_ops-0.2.0-py3-none-any.whl
    """
    if folder is None:
        if not ci:
            raise UsageError("name the FOLDER of the new fleet: `ops init my-fleet`")
        _add(inventory.find(), ci)
        return
    written, existing = starter.write(folder, ci or "")
    written += _requirements(folder, source)
    for name in written:
        click.echo(f"wrote {folder / name}")
    if existing:
        click.echo(f"unchanged: {counted(len(existing), 'existing file')}", err=True)
    click.echo(
        f"\nNext: describe your servers in {folder / 'inventory/hosts.toml'}, then\n"
        f"  cd {folder}\n{starter.NEXT}"
    )


def _requirements(folder: Path, source: str | None) -> list[str]:
    """Write requirements.txt from *source*, from pip's record, or from the operator's answer."""
    if not source and (folder / NAME).exists():
        return []
    if not (source := source or installed().source) and sys.stdin.isatty():
        source = click.prompt(_QUESTION, default="", show_default=False)
    if source:
        return starter.write_requirements(folder, source)
    remedy = f"Name the source: `ops init {folder} --source ...`"
    click.echo(f"{NAME} is not written: CI needs it. {remedy}", err=True)
    return []


def _add(fleet: Path, ci: str) -> None:
    """Write only the CI job, into an existing fleet."""
    name, is_new = starter.write_ci(fleet, ci)
    click.echo(f"wrote {fleet / name}" if is_new else f"unchanged: {fleet / name} exists already")
