"""``ops init``: a fleet folder to begin with."""

from pathlib import Path

import click

from ops import starter


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--ci",
    type=click.Choice(list(starter.CI)),
    help="Write a job that validates each commit, too.",
)
def init(folder: Path, ci: str | None) -> None:
    """Write a new fleet into FOLDER: commented, valid, ready for git.

    Files that are there already are left as they are, and named: `ops init . --ci github` adds
    the workflow to a fleet that is there.

    \b
    Example:
      ops init my-fleet
      ops init my-fleet --ci gitlab
    """
    written, kept = starter.write(folder, ci or "")
    for name in written:
        click.echo(f"wrote {folder / name}")
    for name in kept:
        click.echo(f"kept {folder / name}: it was there already", err=True)
    click.echo(
        f"\nNext: describe your servers in {folder / 'inventory/hosts.toml'}, then\n"
        f"  cd {folder}\n{starter.NEXT}"
    )
