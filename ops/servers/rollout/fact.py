"""pyinfra's fact that returns the state of a host, in one round trip."""

from pyinfra.api.facts import FactBase
from typing_extensions import override

from ops.servers.on_host.state import HostState
from ops.servers.planning.look import LOOK_BY_SUDO, TOLERANT_LOOK, state_of
from ops.servers.planning.state_check import checked


class LookAtHost(FactBase[HostState | str]):
    """The state of a host and its core, or a sentence that explains why there is none.

    The command's stdin is the program for the host. The command always exits with 0, because
    pyinfra would print the whole output of a failed command.
    """

    @override
    def command(self, by_sudo: bool = False) -> str:
        """Return the command for the host."""
        return LOOK_BY_SUDO if by_sudo else TOLERANT_LOOK

    @staticmethod
    @override
    def default() -> str:
        """Return the value for a host that printed nothing."""
        return "it printed nothing when it was asked for its state"

    @override
    def process(self, output: list[str]) -> HostState | str:
        """Return the state in *output*, or the reason why there is none."""
        try:
            return checked(state_of("\n".join(output)))
        except ValueError as error:
            return str(error)
