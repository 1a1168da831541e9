"""Everything a rollout must know of a host, in one round trip."""

from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase
from typing_extensions import override

from ops.on_host.state import HostState
from ops.planning.look import LOOK, state_of


class LookAtHost(FactBase[HostState | None]):
    """What a host has and what its core runs; its stdin is the host's side of the rollout."""

    @override
    def command(self) -> str:
        """Return what the host is to run."""
        return LOOK

    @staticmethod
    @override
    def default() -> None:
        """Return what is known of a host that did not answer."""
        return

    @override
    def process(self, output: list[str]) -> HostState:
        """Return what the host said; a host that says anything else fails alone."""
        try:
            return state_of("\n".join(output))
        except ValueError as error:
            raise FactProcessError(str(error)) from None
