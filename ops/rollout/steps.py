"""The steps of a rollout, as deploy.py calls them for each host."""

from pyinfra import logger
from pyinfra.api.deploy import deploy
from pyinfra.context import host as target
from pyinfra.context import state

from ops.errors import OpsError
from ops.on_host.state import HostState
from ops.planning.bundle import Bundle, program
from ops.planning.decision import decide
from ops.planning.plan import Plan
from ops.rollout.consent import consent
from ops.rollout.fact import LookAtHost
from ops.rollout.fleet import here, release
from ops.rollout.operation import roll_out
from ops.rollout.wrong import wrong


def look() -> HostState | None:
    """Return what the host has and what its core runs; None if it failed and is left out."""
    seen: HostState | None = target.get_fact(LookAtHost, _stdin=Bundle(program()))
    return seen


def compare(seen: HostState | None) -> Plan | None:
    """Return what must change, having printed it; what is wrong with the fleet ends the run."""
    if seen is None:
        return None
    planned = _decided(seen)
    if planned.refusal:
        target.log(f"left as it is: {planned.refusal}", log_func=logger.error)
        state.failed_hosts.add(target)  # --dry runs no operation that could fail
    for line in planned.lines if not planned.refusal else ():
        target.log(line)
    return planned


def _decided(seen: HostState) -> Plan:
    try:
        ours = here()
        options = consent(target, ours.fleet)
        return decide(ours, ours.fleet.host(target.name), seen, options)
    except KeyError:
        raise wrong(
            f"{target.name} is no host of the fleet; type `pyinfra inventory deploy.py`"
        ) from None
    except OpsError as error:
        raise wrong(error) from None


def change(planned: Plan | None) -> None:
    """Carry *planned* out; where nothing is to change, nothing is sent."""
    if planned is None:
        return
    order = planned.order
    try:
        archive = release(order.core["sha256"]) if order and order.core.get("upload") else None
    except OpsError as error:
        raise wrong(error) from None
    roll_out(name="Roll out Xray", plan=planned, archive=archive)


@deploy("Xray")
def xray() -> None:
    """Bring the host to what the fleet asks for."""
    change(compare(look()))
