"""Everything a rollout must know of a host, in one round trip."""

from pyinfra.api.facts import FactBase
from typing_extensions import override

from ops.servers.on_host.state import HostState
from ops.servers.planning.look import BY_SUDO, TOLD, state_of
from ops.servers.planning.told import checked


class LookAtHost(FactBase[HostState | str]):
    """What a host has and what its core runs, or a sentence about why it does not tell.

    Its stdin is the host's side of the rollout. The command ends well in any case: pyinfra would
    print all that a failing one wrote.
    """

    @override
    def command(self, by_sudo: bool = False) -> str:
        """Return what the host is to run."""
        return BY_SUDO if by_sudo else TOLD

    @staticmethod
    @override
    def default() -> str:
        """Return what is known of a host that said nothing."""
        return "it said nothing when it was looked at"

    @override
    def process(self, output: list[str]) -> HostState | str:
        """Return what the host said."""
        try:
            return checked(state_of("\n".join(output)))
        except ValueError as error:
            return str(error)
