"""The steps of a rollout. deploy.py calls them for each host."""

from pyinfra import logger
from pyinfra.api.deploy import deploy
from pyinfra.context import host as target
from pyinfra.context import state as run

from ops.errors import OpsError
from ops.model import Fleet, Host
from ops.model.visible import visible
from ops.servers.on_host.state import HostState
from ops.servers.planning.bundle import Bundle, program
from ops.servers.planning.decision import decide
from ops.servers.planning.plan import Plan
from ops.servers.rollout import summary
from ops.servers.rollout.consent import consent
from ops.servers.rollout.fact import LookAtHost
from ops.servers.rollout.fleet import loaded_fleet, release
from ops.servers.rollout.operation import roll_out
from ops.servers.rollout.run_error import run_error


def look() -> HostState | None:
    """Return the state of the host and its core; None if the look failed.

    After a failure the run goes on without this host.
    """
    summary.begin(run)
    by_sudo = _sudo_without_password()
    arguments = {"by_sudo": True, "_sudo": False} if by_sudo else {}
    state: HostState | str = target.get_fact(LookAtHost, _stdin=Bundle(program()), **arguments)
    if isinstance(state, HostState):
        return state
    if target not in run.failed_hosts:  # otherwise pyinfra has printed the reason
        _fail(state)
    return None


def _sudo_without_password() -> bool:
    """Return whether the host needs sudo, and pyinfra has no password for it."""
    given = target.data.get("_sudo_password") or run.config.SUDO_PASSWORD
    return bool(target.data.get("_sudo")) and not given


def _fail(reason: str) -> None:
    """Fail this host alone. pyinfra's own way would ask whether to continue with the others."""
    sentence = f"left as it is: {visible(reason)}"
    target.log(sentence, log_func=logger.error)
    summary.left(target.name, sentence)
    # The name stands for the host itself, because `target` changes with the greenlet that reads it.
    failed = run.inventory.get_host(target.name)
    run.failed_hosts.add(failed)
    run.active_hosts.discard(failed)


def plan(state: HostState | None) -> Plan | None:
    """Print and return the plan for a host in *state*; None if its look failed.

    PyinfraError if the fleet is wrong. It ends the run for all hosts.
    """
    if state is None:
        return None
    decided = _decide(state)
    if decided.refusal:
        _fail(decided.refusal)
    for line in decided.lines if not decided.refusal else ():
        target.log(visible(line))
    return decided


def _decide(state: HostState) -> Plan:
    try:
        loaded = loaded_fleet()
        allowed = consent(target, loaded.fleet)
        return decide(loaded, _host(loaded.fleet), state, allowed)
    except OpsError as error:
        raise run_error(error) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # The state comes from the host, so it must not end the run for the others.
        name = type(error).__name__
        return Plan(refusal=f"it sent a state that is not valid ({name}: {error})")


def _host(fleet: Fleet) -> Host:
    try:
        return fleet.host(target.name)
    except KeyError:
        raise run_error(
            f"{target.name} is no host of the fleet; type `pyinfra inventory deploy.py`"
        ) from None


def apply(planned: Plan | None) -> None:
    """Carry out *planned*. Nothing is sent to the host if nothing changes."""
    if planned is None or planned.refusal:
        return
    order = planned.order
    try:
        archive = release(order.core["sha256"]) if order and order.core.get("upload") else None
    except OpsError as error:
        raise run_error(error) from None
    roll_out(name="Roll out Xray", plan=planned, archive=archive)


@deploy("Xray")
def xray() -> None:
    """Bring the host to the set that the fleet wants."""
    apply(plan(look()))
