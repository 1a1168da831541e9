"""``ops init``: a fleet folder to begin with."""

from pathlib import Path

import click

from ops.cli.printing import console
from ops.errors import UsageError
from ops.fleet import inventory, starter


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option(
    "--ci",
    type=click.Choice(list(starter.CI)),
    help="Write a job that validates each commit, too.",
)
def init(folder: Path | None, ci: str | None) -> None:
    """Write a new fleet into FOLDER: commented, valid, ready for git.

    Files that are there already are left as they are. Inside a fleet `ops init --ci github` adds
    the job, and nothing else.

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
        click.echo(f"kept what was there already: {console.counted(len(kept), 'file')}", err=True)
    click.echo(
        f"\nNext: describe your servers in {folder / 'inventory/hosts.toml'}, then\n"
        f"  cd {folder}\n{starter.NEXT}"
    )


def _add(fleet: Path, ci: str) -> None:
    """Write the job alone into a fleet that is there."""
    name, is_new = starter.write_ci(fleet, ci)
    click.echo(f"wrote {fleet / name}" if is_new else f"kept {fleet / name}: it was there already")
