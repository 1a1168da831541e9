"""``ops validate``: judge the fleet as far as can be done without its servers."""

import click

from ops.cli.options import Selected, fleet_option
from ops.render import placeholders
from ops.render import render as config_of


@click.command()
@fleet_option
def validate(selected: Selected) -> None:
    """Read the fleet strictly and render every host; exit 1 with every problem found.

    Needs no server and no secret: secrets are placeholders here.

    \b
    Example:
      ops validate
    """
    fleet = selected.fleet
    stand_ins = placeholders(fleet)
    for host in fleet.hosts:
        config_of(fleet, host, stand_ins)
    click.echo(f"{len(fleet.hosts)} hosts and {len(fleet.keys)} keys are right")
