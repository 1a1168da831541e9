"""``ops secrets``: make, edit, encrypt and recover."""

import click

from ops import recovery
from ops.cli import show
from ops.cli.editing import edited
from ops.cli.options import Selected, fleet_option, host_options, timeout_option
from ops.errors import SecretsError
from ops.files import locked
from ops.inventory.toml import shown
from ops.secrets import age, issued, store
from ops.secrets.fill import fill as fill_secrets
from ops.secrets.parse import parse


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
        file = store.encrypt(selected.fleet)
    count = len(age.recipients(selected.fleet))
    called = "1 recipient" if count == 1 else f"{count} recipients"
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
    """Make this user's age identity, and print its public key for `recipients --add`.

    \b
    Example:
      ops secrets identity
    """
    public = age.make_identity()
    click.echo(f"made {shown(age.identity_file())}; its public key is\n{public}")


@secrets.command()
@timeout_option
@host_options
def recover(selected: Selected, timeout: float) -> None:
    """Rebuild the secrets' file from the configs that the servers run.

    What is in the file stays; what the servers disagree on is named and left out.

    \b
    Example:
      ops secrets recover
    """
    found = recovery.recover(selected.fleet, selected.hosts, deadline=timeout)
    for name in found.recovered:
        click.echo(f"recovered {name}")
    for conflict in found.conflicts:
        click.echo(f"left out: {conflict}", err=True)
    show.failures(found.failures)
    if not found.recovered:
        click.echo("nothing to recover")
    raise click.exceptions.Exit(show.exit_code(len(selected.hosts), len(found.failures)))
