"""pyinfra's operation that carries out a plan, with one command on the host."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from pyinfra.api.command import FileUploadCommand, PyinfraCommand, StringCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from typing_extensions import override

from ops.model.visible import visible
from ops.servers.on_host import places
from ops.servers.planning.bundle import Bundle, parcel
from ops.servers.planning.look import PYTHON
from ops.servers.planning.plan import Plan

# The set contains secrets: it arrives on stdin and is written into a private folder.
CARRY_OUT = (
    f"{PYTHON} umask 077; "
    f"{{ mkdir -p {places.STATE} && d=$(mktemp -d {places.STATE}/set.XXXXXXXX); }} 2>/dev/null || "
    f"{{ echo 'nothing was changed: {places.STATE} cannot be written to: its disk may be full "
    "or mounted read-only' >&2; exit 1; }; "
    '{ base64 -d > "$d/set.pyz" || '
    '{ rm -rf "$d"; echo "nothing was changed: the set could not be written" >&2; exit 1; }; } && '
    'exec python3 -I "$d/set.pyz" apply'
)


class ShownCommand(StringCommand):
    """A command with output that pyinfra also shows after a success."""

    @override
    def execute(self, state: State, host: Host, connector_arguments: Any) -> Any:
        status, output = super().execute(state, host, connector_arguments)
        for line in output.stdout_lines if status and not state.print_output else ():
            host.log(visible(line))
        return status, output


@operation()
def roll_out(plan: Plan, archive: Path | None) -> Generator[PyinfraCommand]:
    """Carry out *plan* on a host.

    + plan: the planned change, as it was printed
    + archive: the zip of the core's release, if it must be sent
    """
    if plan.order:
        if archive:
            yield StringCommand("mkdir", "-p", "-m", "700", places.STATE)
            yield FileUploadCommand(str(archive), plan.order.core["upload"])
        bundle = Bundle(parcel(plan.order, plan.contents))
        yield ShownCommand(CARRY_OUT, _stdin=bundle)
