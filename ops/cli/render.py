"""``ops render``: the config for one host."""

import click

from ops.cli.asking.names import completer
from ops.cli.asking.options import fleet_option
from ops.fleet import selection as of_fleet
from ops.reporting.selection import Selection


@click.command()
@click.argument("host", shell_complete=completer("host"))
@click.option("--with-secrets", is_flag=True, help="Print real secrets instead of placeholders.")
@fleet_option
def render(selection: Selection, host: str, with_secrets: bool) -> None:
    """Print the config of the core for HOST as the rollout renders it.

    Secrets are placeholders by default. The rollout also blocks the addresses of the host's own
    network cards; this command only knows those in the inventory.

    \b
    Example:
      ops render fra1
    """
    from ops.config.render import placeholders
    from ops.config.render import render as config_of
    from ops.config.render.bounds import rendering
    from ops.fleet import secrets

    fleet = selection.fleet
    chosen = of_fleet.host(fleet, host)
    used = secrets.load(fleet) if with_secrets else placeholders(fleet)
    with rendering(chosen):
        config = config_of(fleet, chosen, used)
    click.echo(config, nl=False)
