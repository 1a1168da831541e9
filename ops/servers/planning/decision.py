"""What is to happen to one host: a rollout does it, `ops diff` shows it."""

from dataclasses import dataclass

from ops.config.render.bounds import rendering
from ops.errors import CoreError, SecretsError
from ops.model import Fleet, Host, Secrets
from ops.servers.on_host.state import HostState
from ops.servers.planning import refusals
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.plan import Comparison, Options, Plan, leaving, plan
from ops.servers.planning.wanted import wanted


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine has: the fleet, its secrets, its commit."""

    fleet: Fleet
    secrets: Secrets
    checkout: Checkout


def decide(here: Here, host: Host, seen: HostState, options: Options) -> Plan:
    """Return what brings *host*, as it was *seen*, to what the fleet asks for."""
    reasons = list(refusals.of_the_host(seen, here.checkout, options))
    if host.state == "absent":
        return refusals.unless(reasons, leaving(host, seen, here.checkout))
    try:
        with rendering(host):
            want = wanted(here.fleet, host, here.secrets, seen.machine, seen.addresses)
    except (CoreError, SecretsError) as error:  # a core, a secret that others may have
        return Plan(refusal=str(error))
    compared = Comparison(here.fleet, host, seen, want)
    reasons += refusals.of_the_set(compared, options)
    return refusals.unless(reasons, plan(compared, here.checkout))
