"""The steps of a rollout, as deploy.py calls them for each host."""

from pathlib import Path

from pyinfra import logger
from pyinfra.api.deploy import deploy
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import host as target
from pyinfra.context import state

from ops.core import archive
from ops.errors import OpsError
from ops.on_host.order import Order
from ops.on_host.state import HostState
from ops.planning.bundle import Bundle, program
from ops.planning.decision import decide
from ops.planning.plan import Options, Plan
from ops.rollout.fact import LookAtHost
from ops.rollout.fleet import here
from ops.rollout.operation import roll_out


def look() -> HostState | None:
    """Return what the host has and what its core runs; None if it failed and is left out."""
    seen: HostState | None = target.get_fact(LookAtHost, _stdin=Bundle(program()))
    return seen


def compare(seen: HostState | None) -> Plan | None:
    """Return what must change, having printed it; what is wrong with the fleet ends the run."""
    if seen is None:
        return None
    try:
        ours = here()
        planned = decide(ours, ours.fleet.host(target.name), seen, _options())
    except KeyError:
        raise PyinfraError(f"{target.name} is no host of the fleet") from None
    except OpsError as error:
        raise PyinfraError(str(error)) from None
    for line in planned.lines:
        target.log(line)
    if planned.refusal:
        target.log_styled(planned.refusal, log_func=logger.error, fg="red")
        state.failed_hosts.add(target)  # --dry runs no operation that could fail
    return planned


def change(planned: Plan | None) -> None:
    """Carry *planned* out; where nothing is to change, nothing is sent."""
    if planned is None:
        return
    order = planned.order
    release = _release(order) if order and order.core.get("upload") else None
    roll_out(name="Roll out Xray", plan=planned, archive=release)


@deploy("Xray")
def xray() -> None:
    """Bring the host to what the fleet asks for."""
    change(compare(look()))


def _options() -> Options:
    rotate = str(target.data.get("rotate", ""))
    return Options(
        force=str(target.data.get("force", "")).lower() in ("yes", "true", "1"),
        rotate=frozenset(name for name in rotate.split(",") if name),
    )


def _release(order: Order) -> Path:
    """Return the verified archive that is to be sent."""
    core, wanted_sum = here().fleet.core, order.core["sha256"]
    machine = next(machine for machine, pinned in core.sha256.items() if pinned == wanted_sum)
    try:
        return archive(core, machine)
    except OpsError as error:
        raise PyinfraError(str(error)) from None
