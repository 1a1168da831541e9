"""The fleet of all cases, and what one of its hosts truly has."""

import json
from pathlib import Path

from click.testing import CliRunner

from ops.cli import cli
from ops.fleet import inventory, secrets
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.decision import LoadedFleet
from ops.servers.planning.wanted import wanted
from tests import fleets
from tests.fuzzing.trial import Setting
from tests.hosts import healthy


def laid_out(folder: Path) -> Setting:
    """Return the setting, with its fleet written to *folder*."""
    pinned = f'version = "26.10.10"\n    sha256.x86_64 = "{"5" * 64}"'
    hosts = fleets.HOSTS.replace('version = "26.10.10"', pinned)
    fleets.write(folder, hosts)
    CliRunner().invoke(cli, ["secrets", "fill", "--fleet", str(folder)], catch_exceptions=False)
    fleet = inventory.load(folder)
    held = secrets.load(fleet)
    host = fleet.hosts[0]
    want = wanted(fleet, host, held, "x86_64", [])
    return Setting(
        loaded=LoadedFleet(fleet, held, Checkout(folder, "", clean=True, who="ann@desk")),
        host=host,
        state=healthy(want)._asdict(),
        config=json.loads(json.dumps(want.config)),
    )
