"""Decide the plan of one host. A rollout carries it out; `ops diff` only shows it."""

from dataclasses import dataclass

from ops.config.render.bounds import rendering
from ops.errors import CoreError, SecretsError
from ops.model import Fleet, Host, Secrets
from ops.servers.on_host.state import HostState
from ops.servers.planning import refusals
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.consent import Consent
from ops.servers.planning.plan import Plan, plan, removal
from ops.servers.planning.transition import Transition
from ops.servers.planning.wanted import wanted


@dataclass(frozen=True, slots=True)
class LoadedFleet:
    """A fleet with its secrets and its git checkout, as this machine has them."""

    fleet: Fleet
    secrets: Secrets
    checkout: Checkout


def decide(loaded: LoadedFleet, host: Host, state: HostState, consent: Consent) -> Plan:
    """Return the plan that brings *host* from *state* to the set that the fleet wants.

    A plan that must not be carried out has a refusal. FleetError if *host* cannot be rendered.
    """
    reasons = list(refusals.of_the_host(state, loaded.checkout, consent))
    if host.state == "absent":
        return refusals.refused(removal(host, state, loaded.checkout), reasons)
    try:
        with rendering(host):
            want = wanted(loaded.fleet, host, loaded.secrets, state.machine, state.addresses)
    except (CoreError, SecretsError) as error:  # other hosts may not need this core or secret
        return Plan(refusal=str(error))
    transition = Transition(loaded.fleet, host, state, want)
    reasons += refusals.of_the_set(transition, consent)
    return refusals.refused(plan(transition, loaded.checkout), reasons)
