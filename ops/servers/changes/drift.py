"""Where servers are not as the fleet asks: what a rollout would change is the drift."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops.counting import reading
from ops.errors import HostError
from ops.model import Host
from ops.servers.on_host.order import RECORD
from ops.servers.on_host.state import HostState
from ops.servers.planning.bundle import Bundle, program
from ops.servers.planning.decision import Here, decide
from ops.servers.planning.look import LOOK, state_of
from ops.servers.planning.plan import Options
from ops.servers.planning.told import checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one host stands to the inventory."""

    host: str
    lines: tuple[str, ...] = ()
    """What a rollout would change; none if all is as the inventory asks."""
    refusal: str = ""
    """Why a rollout would leave the host alone all the same."""

    @property
    def drifted(self) -> bool:
        """Return whether a rollout would have anything to do."""
        return bool(self.lines or self.refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How the hosts stand, and which did not tell."""

    standings: tuple[Standing, ...]
    failures: tuple[HostError, ...]


def drift(
    here: Here,
    hosts: Sequence[Host],
    *,
    deadline: float,
    advance: Callable[[], None] = lambda: None,
) -> Drift:
    """Return how *hosts* stand to the fleet; a host that does not tell is a failure of its own.

    Raises:
        SecretsError: secrets of a host are missing here, so nothing can be compared.
        FleetError: a host cannot be rendered.
    """
    given = "".join(Bundle(program()))
    said = reading.run_on_hosts(here.fleet, hosts, LOOK, deadline=deadline, given=given)
    standings, failures = [], list(said.failures)
    for host in hosts:
        if host.name in said.results:
            try:
                standings.append(standing(here, host, said.results[host.name]))
            except HostError as error:
                failures.append(error)
        advance()
    return Drift(standings=tuple(standings), failures=tuple(failures))


def standing(here: Here, host: Host, said: str) -> Standing:
    """Return how *host*, which *said* this, stands; HostError if that is no state of a host."""
    try:
        return _standing(here, host, checked(state_of(said)))
    except (ValueError, RecursionError) as error:
        raise HostError(host.name, str(error)) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        reason = f"it tells a state that no host of ours has ({type(error).__name__}: {error})"
        raise HostError(host.name, reason) from None


def _standing(here: Here, host: Host, seen: HostState) -> Standing:
    decided = decide(here, host, seen, Options())
    asked = decided.order is not None and decided.order.how != RECORD
    lines = decided.lines if asked or decided.refusal else ()
    return Standing(host=host.name, lines=lines, refusal=decided.refusal)
