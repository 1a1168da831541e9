"""``ops secrets``: make, edit, encrypt and recover."""

from pathlib import Path

import click

from ops.cli.editing import edited
from ops.cli.options import Selected, fleet_option, host_options, timeout_option
from ops.cli.printing import console
from ops.errors import SecretsError, UsageError
from ops.files import locked, there
from ops.fleet.inventory import find
from ops.fleet.inventory.toml import shown
from ops.fleet.secrets import age, issued, merging, store
from ops.fleet.secrets.fill import departed
from ops.fleet.secrets.fill import fill as fill_secrets
from ops.fleet.secrets.fill import forget as forget_secrets
from ops.fleet.secrets.parse import parse
from ops.servers import recovery
from ops.servers.changes.git import git


@click.group()
def secrets() -> None:
    """Make, edit, encrypt and recover the fleet's secrets.

    They lie in inventory/secrets.toml (mode 0600, not in git), or encrypted to several people
    in inventory/secrets.toml.age, which is committed. inventory/issued.toml says which exist.

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
    help="Make anew what belongs to a key, or to an inbound (fra1/reality); people are cut off.",
)
@fleet_option
def fill(selected: Selected, again: tuple[str, ...]) -> None:
    """Make the secrets that never existed; refuse to replace one that did.

    \b
    Example:
      ops secrets fill
      ops secrets fill --replace bob
    """
    made = fill_secrets(selected.fleet, again)
    for name in made:
        click.echo(f"made {name}")
    if not made:
        click.echo("nothing to make: every secret that the fleet needs is there")
    if gone := departed(selected.fleet):
        named = ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else "")
        click.echo(f"kept for names that left the fleet: {named} (`ops secrets forget`)", err=True)


@secrets.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@fleet_option
def forget(selected: Selected, names: tuple[str, ...]) -> None:
    """Delete the secrets of keys, hosts and inbounds that left the fleet.

    NAME is a key, a host, or an inbound of a host (fra1/reality). A key that comes back later
    gets new secrets and needs a new link.

    \b
    Example:
      ops secrets forget bob
    """
    for name in forget_secrets(selected.fleet, names):
        click.echo(f"deleted {name}")


@secrets.command()
@fleet_option
def edit(selected: Selected) -> None:
    """Open the secrets in $EDITOR; they are checked before they are kept.

    They lie in a private folder in memory meanwhile, which is removed at the end.

    \b
    Example:
      ops secrets edit
    """
    fleet = selected.fleet
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
        click.echo(f"kept in {shown(store.path(fleet) or store.plain(fleet))}")


@secrets.command()
@fleet_option
def encrypt(selected: Selected) -> None:
    """Encrypt the plain secrets to the fleet's recipients, and remove the plain file.

    \b
    Example:
      ops secrets recipients --add age1...
      ops secrets encrypt
    """
    with locked(selected.fleet.folder / "inventory"):
        if done := store.is_encrypted_to_all(selected.fleet):
            file = store.encrypted(selected.fleet)
        else:
            file = store.encrypt(selected.fleet)
    count = len(age.recipients(selected.fleet))
    called = "1 recipient" if count == 1 else f"{count} recipients"
    if done:
        click.echo(f"{shown(file)} is encrypted to {called} already: nothing was changed")
    else:
        click.echo(f"{shown(file)} is encrypted to {called}: commit it, and recipients.txt")


@secrets.command()
@click.option("--add", multiple=True, metavar="KEY", help="An age or ssh public key.")
@click.option("--remove", multiple=True, metavar="KEY", help="One that shall read no more.")
@fleet_option
def recipients(selected: Selected, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """List who can read the encrypted secrets; add or remove people.

    Secrets that are encrypted already are encrypted anew. Who could read them once knows them
    still: after a removal, replace what must not be known.

    \b
    Example:
      ops secrets recipients --add "$(cat colleague.pub)"
    """
    fleet = selected.fleet
    with locked(fleet.folder / "inventory"):
        now = age.recipients(fleet)
        if missing := [key for key in remove if key not in now]:
            raise SecretsError(f"{missing[0]!r} is not among the recipients: nothing was changed")
        wanted = [key for key in dict.fromkeys([*now, *add]) if key not in remove]
        if wanted != now:
            text = store.read(fleet)
            age.check(wanted)
            if store.path(fleet) == store.encrypted(fleet):
                store.write_to(fleet, text, wanted)
            age.keep_recipients(fleet, wanted)
    click.echo("\n".join(wanted) if wanted else "nobody yet")


@secrets.command()
def identity() -> None:
    """Print the public key of this user's age identity for `recipients --add`.

    The identity is made where there is none.

    \b
    Example:
      ops secrets identity
    """
    file = age.identity_file()
    if there(file):
        click.echo(f"{shown(file)} is there already; its public key is\n{age.public_half()}")
    else:
        click.echo(f"made {shown(file)}; its public key is\n{age.make_identity()}")


@secrets.command()
@click.option(
    "--take",
    type=click.Choice(["ours", "theirs"]),
    help="Take this side of a secret that both sides changed.",
)
@click.option(
    "--fleet",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The fleet's folder, if it is not this one or above it.",
)
def merge(folder: Path | None, take: str | None) -> None:
    """Put together encrypted secrets that two people changed, after `git merge` stopped.

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
        click.echo(f"merged {shown(file)}: `git add` it")


def _sides(inventory: Path, name: str) -> merging.Sides | None:
    """Return the sides of the file called *name*, where a merge of git stopped at it."""
    found = [git(inventory, "show", f":{stage}:./{name}") for stage in (1, 2, 3)]
    base, ours, theirs = (None if one.returncode else one.stdout for one in found)
    return merging.Sides(base, ours, theirs) if ours is not None and theirs is not None else None


@secrets.command()
@click.option(
    "--afresh", is_flag=True, help="Begin without an encrypted file that nobody can open any more."
)
@timeout_option
@host_options
def recover(selected: Selected, timeout: float, afresh: bool) -> None:
    """Rebuild the secrets' file from the configs that the servers run.

    What is in the file stays; what the servers disagree on is named and left out.

    \b
    Example:
      ops secrets recover
    """
    fleet = selected.fleet
    found = recovery.recover(fleet, selected.hosts, deadline=timeout, afresh=afresh)
    for name in found.recovered:
        click.echo(f"recovered {name}")
    for conflict in found.conflicts:
        click.echo(f"left out: {conflict}", err=True)
    console.failures(found.failures)
    if not found.recovered:
        click.echo("nothing to recover")
    if found.aside:
        click.echo(
            f"{shown(found.aside)} is the file that could not be opened. The secrets are in "
            f"{shown(store.plain(fleet))}: `ops secrets recipients --add` yourself, then "
            "`ops secrets encrypt`",
            err=True,
        )
    raise click.exceptions.Exit(console.exit_code(len(selected.hosts), len(found.failures)))
