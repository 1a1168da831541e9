"""Carry a plan out on a host: one command, whose outcome is the host's own word."""

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

# The set holds secrets: it comes by stdin, into a folder that was private before it was there.
CARRY_OUT = (
    f"{PYTHON} umask 077; "
    f"{{ mkdir -p {places.STATE} && d=$(mktemp -d {places.STATE}/set.XXXXXXXX); }} 2>/dev/null || "
    f"{{ echo 'nothing was changed: {places.STATE} cannot be written to: its disk may be full "
    "or mounted read-only' >&2; exit 1; }; "
    '{ base64 -d > "$d/set.pyz" || '
    '{ rm -rf "$d"; echo "nothing was changed: the set could not be written" >&2; exit 1; }; } && '
    'exec python3 -I "$d/set.pyz" apply'
)


class Tell(StringCommand):
    """A command whose words are shown when all went well, too."""

    @override
    def execute(self, state: State, host: Host, connector_arguments: Any) -> Any:
        status, output = super().execute(state, host, connector_arguments)
        for line in output.stdout_lines if status and not state.print_output else ():
            host.log(visible(line))
        return status, output


@operation()
def roll_out(plan: Plan, archive: Path | None) -> Generator[PyinfraCommand]:
    """Bring a host to what *plan* says.

    + plan: what is to change, as it was printed
    + archive: the core's release, if it must be sent
    """
    if plan.order:
        if archive:
            yield StringCommand("mkdir", "-p", "-m", "700", places.STATE)
            yield FileUploadCommand(str(archive), plan.order.core["upload"])
        bundle = Bundle(parcel(plan.order, plan.contents))
        yield Tell(CARRY_OUT, _stdin=bundle)
