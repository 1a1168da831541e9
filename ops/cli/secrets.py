"""``ops secrets``: make, edit, encrypt and recover."""

from pathlib import Path

import click

from ops.cli.asking.editing import edited
from ops.cli.asking.options import fleet_option, host_options, timeout_option
from ops.cli.printing import console, exit_codes
from ops.errors import UsageError
from ops.files import exists, locked, shown_path
from ops.fleet.git import git
from ops.fleet.inventory import find
from ops.fleet.secrets import age, issued, merging, sharing, store
from ops.fleet.secrets.fill import departed
from ops.fleet.secrets.fill import fill as fill_secrets
from ops.fleet.secrets.fill import forget as forget_secrets
from ops.fleet.secrets.parse import parse
from ops.fleet.secrets.renaming import rename as rename_secrets
from ops.model.phrases import counted, listed
from ops.reporting.selection import Selection, maintenance_lines
from ops.servers import recovery


@click.group()
def secrets() -> None:
    """Make, edit, encrypt and recover the fleet's secrets.

    They are in inventory/secrets.toml (mode 0600, not in git), or encrypted to several people in
    inventory/secrets.toml.age, which is committed. inventory/issued.toml lists their names.

    \b
    Example:
      ops secrets fill
    """


@secrets.command()
@click.option(
    "--replace",
    "again",
    multiple=True,
    metavar="NAME",
    help="Replace the secrets of a key or an inbound (fra1/reality). Old links stop working.",
)
@fleet_option
def fill(selection: Selection, again: tuple[str, ...]) -> None:
    """Make missing secrets. A secret that existed before is never replaced silently.

    \b
    Example:
      ops secrets fill
      ops secrets fill --replace bob
    """
    made = fill_secrets(selection.fleet, again)
    for name in made:
        click.echo(f"made {name}")
    if not made:
        click.echo("nothing to make: the fleet has every secret that it needs")
    if gone := departed(selection.fleet):
        left = f"secrets of names that left the fleet: {listed(gone, most=5)}"
        remedy = "delete them with `ops secrets forget`; for a new name: `ops secrets rename`"
        click.echo(f"{left} ({remedy})", err=True)


@secrets.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@fleet_option
def forget(selection: Selection, names: tuple[str, ...]) -> None:
    """Delete the secrets of keys, hosts and inbounds that left the fleet.

    NAME is a key, a host, or an inbound of a host (fra1/reality). A key that comes back later
    gets new secrets and needs a new link.

    \b
    Example:
      ops secrets forget bob
    """
    for name in forget_secrets(selection.fleet, names):
        click.echo(f"deleted {name}")


@secrets.command()
@click.argument("old")
@click.argument("new")
@click.option("--replace", is_flag=True, help="Replace other secrets that NEW has already.")
@fleet_option
def rename(selection: Selection, old: str, new: str, replace: bool) -> None:
    """Move the secrets of OLD to NEW, after you renamed OLD in the inventory.

    OLD and NEW are two hosts, two keys, or two inbounds of a host (fra1/reality). Links keep
    working. Commit issued.toml afterwards.

    \b
    Example:
      ops secrets rename ams1 ams2
    """
    for name in rename_secrets(selection.fleet, old, new, replace=replace):
        click.echo(f"moved {name}")


@secrets.command()
@fleet_option
def edit(selection: Selection) -> None:
    """Open the secrets in $EDITOR, and check them before they are stored.

    While you edit, they are in a private folder in memory, which is removed at the end.

    \b
    Example:
      ops secrets edit
    """
    fleet = selection.fleet
    with locked(fleet.folder / "inventory"):
        before = store.read(fleet)
        after = edited(
            "secrets.toml",
            before,
            lambda text: text == before or parse(fleet, "secrets.toml", text),
        )
        if after == before:
            click.echo("nothing was changed")
            return
        store.write(fleet, after)
        issued.keep(fleet, issued.data_of(after))
        click.echo(f"stored in {shown_path(store.path(fleet) or store.plain(fleet))}")


@secrets.command()
@fleet_option
def encrypt(selection: Selection) -> None:
    """Encrypt the plain secrets to the fleet's recipients, and remove the plain file.

    \b
    Example:
      ops secrets recipients --add age1...
      ops secrets encrypt
    """
    file, is_new = sharing.encrypt(selection.fleet)
    people = counted(len(age.recipients(selection.fleet)), "recipient")
    if is_new:
        click.echo(f"{shown_path(file)} is encrypted to {people}: commit it, and recipients.txt")
    else:
        click.echo(f"{shown_path(file)} is encrypted to {people} already: nothing was changed")


@secrets.command()
@click.option(
    "--add", multiple=True, metavar="PUBLIC", help="Add this age or ssh public key. Repeatable."
)
@click.option(
    "--remove", multiple=True, metavar="PUBLIC", help="Remove this public key. Repeatable."
)
@fleet_option
def recipients(selection: Selection, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """List the public keys of the people that can read the encrypted secrets; add or remove some.

    Existing secrets are encrypted again. A removed person may still have an old copy: replace
    the secrets that this person must not know (`ops secrets fill --replace`).

    \b
    Example:
      ops secrets recipients --add "$(cat colleague.pub)"
    """
    wanted = sharing.change_recipients(selection.fleet, add, remove)
    click.echo("\n".join(wanted) if wanted else "nobody yet")


@secrets.command()
def identity() -> None:
    """Print the public key of this user's age identity, for `recipients --add`.

    If this user has no identity, it is made.

    \b
    Example:
      ops secrets identity
    """
    file = age.identity_file()
    if exists(file):
        click.echo(f"{shown_path(file)} exists already; its public key is\n{age.public_half()}")
    else:
        click.echo(f"made {shown_path(file)}; its public key is\n{age.make_identity()}")


@secrets.command()
@click.option(
    "--take",
    type=click.Choice(["ours", "theirs"]),
    help="For a secret that both sides changed: take this side.",
)
@click.option(
    "--fleet",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the fleet (default: this folder or one above it).",
)
def merge(folder: Path | None, take: str | None) -> None:
    """Merge encrypted secrets that two people changed, after `git merge` stopped.

    secrets.toml.age, issued.toml and recipients.txt are merged by name. Then `git add` them.

    \b
    Example:
      git pull
      ops secrets merge
      git add inventory
    """
    inventory = find(folder) / "inventory"
    sides = {name: side for name in merging.FILES if (side := _sides(inventory, name))}
    if merging.FILES[0] not in sides:
        raise UsageError(f"git has no two sides of {merging.FILES[0]}: there is nothing to merge")
    for file in merging.merge(inventory, sides, take or ""):
        click.echo(f"merged {shown_path(file)}: `git add` it")


def _sides(inventory: Path, name: str) -> merging.Sides | None:
    """Return the sides of the file called *name*; None if git has no conflict in it."""
    stages = [git(inventory, "show", f":{stage}:./{name}") for stage in (1, 2, 3)]
    base, ours, theirs = (None if one.returncode else one.stdout for one in stages)
    return merging.Sides(base, ours, theirs) if ours is not None and theirs is not None else None


@secrets.command()
@click.option(
    "--afresh", is_flag=True, help="Rename an encrypted file that cannot be opened, and start new."
)
@click.option(
    "--replace",
    multiple=True,
    metavar="NAME",
    help="Take back the servers' secrets of a key or an inbound (fra1/reality). Repeatable.",
)
@timeout_option
@host_options
def recover(selection: Selection, timeout: float, afresh: bool, replace: tuple[str, ...]) -> None:
    """Rebuild the file of secrets from the configs that the servers run.

    Secrets in the file stay, except those of --replace. A secret that differs between servers is
    printed and left out: choose a server with --host.

    \b
    Example:
      ops secrets recover
      ops secrets recover --replace bob
    """
    fleet = selection.fleet
    console.notes(maintenance_lines(selection.away))
    result = recovery.recover(
        fleet, selection.hosts, deadline=timeout, afresh=afresh, replace=replace
    )
    for name in result.recovered:
        click.echo(f"recovered {name}")
    for conflict in result.conflicts:
        click.echo(f"left out: {conflict}", err=True)
    for name in result.missing:
        click.echo(f"not taken back: {name}: no server that was read has one to take", err=True)
    console.failures(result.failures)
    if not result.recovered:
        click.echo("nothing to recover")
    if result.aside:
        click.echo(
            f"{shown_path(result.aside)} is the file that could not be opened. The secrets are in "
            f"{shown_path(store.plain(fleet))}: `ops secrets recipients --add` yourself, then "
            "`ops secrets encrypt`",
            err=True,
        )
    code = exit_codes.of_hosts(len(selection.hosts), len(result.failures))
    raise click.exceptions.Exit(code or (exit_codes.NO if result.missing else exit_codes.OK))
