"""``ops init``: a new fleet folder."""

from pathlib import Path

import click

from ops.errors import UsageError
from ops.fleet import inventory, starter
from ops.model.phrases import counted


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option(
    "--ci",
    type=click.Choice(list(starter.CI)),
    help="Write a CI job that validates each commit.",
)
def init(folder: Path | None, ci: str | None) -> None:
    """Write a new fleet into FOLDER: commented, valid, ready for git.

    Existing files stay unchanged. Inside a fleet, `ops init --ci github` adds only the CI job.

    \b
    Example:
      ops init my-fleet
      ops init my-fleet --ci gitlab
    """
    if folder is None:
        if not ci:
            raise UsageError("name the FOLDER of the new fleet: `ops init my-fleet`")
        _add(inventory.find(), ci)
        return
    written, kept = starter.write(folder, ci or "")
    for name in written:
        click.echo(f"wrote {folder / name}")
    if kept:
        click.echo(f"kept what was there already: {counted(len(kept), 'file')}", err=True)
    click.echo(
        f"\nNext: describe your servers in {folder / 'inventory/hosts.toml'}, then\n"
        f"  cd {folder}\n{starter.NEXT}"
    )


def _add(fleet: Path, ci: str) -> None:
    """Write only the CI job, into an existing fleet."""
    name, is_new = starter.write_ci(fleet, ci)
    click.echo(f"wrote {fleet / name}" if is_new else f"kept {fleet / name}: it was there already")
