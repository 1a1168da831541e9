"""``ops render``: the config that a host would get."""

import click

from ops.cli.options import Selected, fleet_option
from ops.config.render import placeholders
from ops.config.render import render as config_of
from ops.config.render.bounds import rendering
from ops.fleet import secrets, selection


@click.command()
@click.argument("host")
@click.option("--with-secrets", is_flag=True, help="Put the real secrets in; placeholders else.")
@fleet_option
def render(selected: Selected, host: str, with_secrets: bool) -> None:
    """Print the core's config for HOST as the rollout renders it.

    Secrets are placeholders unless asked for. The rollout also blocks the addresses that it
    finds on the host itself; here only those in the inventory are known.

    \b
    Example:
      ops render fra1
    """
    fleet = selected.fleet
    chosen = selection.host(fleet, host)
    used = secrets.load(fleet) if with_secrets else placeholders(fleet)
    with rendering(chosen):
        config = config_of(fleet, chosen, used)
    click.echo(config, nl=False)
