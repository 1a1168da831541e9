"""``ops init``: a fleet folder to begin with."""

from pathlib import Path

import click

from ops import starter


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a new fleet into FOLDER: commented, valid, ready for git.

    Files that are there already are left as they are, and named.

    \b
    Example:
      ops init my-fleet
    """
    written, kept = starter.write(folder)
    for name in written:
        click.echo(f"wrote {folder / name}")
    for name in kept:
        click.echo(f"kept {folder / name}: it was there already", err=True)
    click.echo(
        f"\nNext: describe your servers in {folder / 'inventory/hosts.toml'}, then\n"
        f"  cd {folder}\n{starter.NEXT}"
    )
