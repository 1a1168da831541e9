"""The steps of a rollout, as deploy.py calls them for each host."""

from pyinfra import logger
from pyinfra.api.deploy import deploy
from pyinfra.context import host as target
from pyinfra.context import state

from ops.errors import OpsError
from ops.model import Fleet, Host
from ops.model.visible import visible
from ops.servers.on_host.state import HostState
from ops.servers.planning.bundle import Bundle, program
from ops.servers.planning.decision import decide
from ops.servers.planning.plan import Plan
from ops.servers.rollout.consent import consent
from ops.servers.rollout.fact import LookAtHost
from ops.servers.rollout.fleet import here, release
from ops.servers.rollout.operation import roll_out
from ops.servers.rollout.wrong import wrong


def look() -> HostState | None:
    """Return what the host has and what its core runs; None if it failed and is left out."""
    by_sudo = _sudo_without_password()
    ways = {"by_sudo": True, "_sudo": False} if by_sudo else {}
    seen: HostState | str = target.get_fact(LookAtHost, _stdin=Bundle(program()), **ways)
    if isinstance(seen, HostState):
        return seen
    if target not in state.failed_hosts:  # else pyinfra has told why
        _leave(seen)
    return None


def _sudo_without_password() -> bool:
    """Return whether sudo is used here, and nobody has given pyinfra a password for it."""
    given = target.data.get("_sudo_password") or state.config.SUDO_PASSWORD
    return bool(target.data.get("_sudo")) and not given


def _leave(why: str) -> None:
    """Fail this host alone: pyinfra's own way asks whether to go on with the others."""
    target.log(f"left as it is: {visible(why)}", log_func=logger.error)
    state.failed_hosts.add(target)
    state.active_hosts.discard(target)


def compare(seen: HostState | None) -> Plan | None:
    """Return what must change, having printed it; what is wrong with the fleet ends the run."""
    if seen is None:
        return None
    planned = _decided(seen)
    if planned.refusal:
        _leave(planned.refusal)
    for line in planned.lines if not planned.refusal else ():
        target.log(visible(line))
    return planned


def _decided(seen: HostState) -> Plan:
    try:
        ours = here()
        options = consent(target, ours.fleet)
        host = _host(ours.fleet)
        return decide(ours, host, seen, options)
    except OpsError as error:
        raise wrong(error) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # The state is what the host says: it must not end the run for the others.
        name = type(error).__name__
        return Plan(refusal=f"it tells a state that no host of ours has ({name}: {error})")


def _host(fleet: Fleet) -> Host:
    try:
        return fleet.host(target.name)
    except KeyError:
        raise wrong(
            f"{target.name} is no host of the fleet; type `pyinfra inventory deploy.py`"
        ) from None


def change(planned: Plan | None) -> None:
    """Carry *planned* out; where nothing is to change, nothing is sent."""
    if planned is None or planned.refusal:
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
