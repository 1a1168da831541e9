"""Find drift: everything that a rollout would change on the servers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops.counting import reading
from ops.errors import HostError
from ops.model import Host
from ops.servers.on_host.order import RECORD
from ops.servers.on_host.state import HostState
from ops.servers.planning.bundle import Bundle, program
from ops.servers.planning.consent import Consent
from ops.servers.planning.decision import LoadedFleet, decide
from ops.servers.planning.look import LOOK, state_of
from ops.servers.planning.state_check import checked


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDrift:
    """The drift of one host."""

    host: str
    lines: tuple[str, ...] = ()
    """The changes that a rollout would make, in words. Empty if there are none."""
    refusal: str = ""
    """The reason why a rollout would refuse to change the host."""

    @property
    def drifted(self) -> bool:
        """Return whether a rollout would change the host, or refuse to."""
        return bool(self.lines or self.refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The drift of the hosts that answered, and the errors of the others."""

    hosts: tuple[HostDrift, ...]
    failures: tuple[HostError, ...]


def drift(
    loaded: LoadedFleet,
    hosts: Sequence[Host],
    *,
    deadline: float,
    advance: Callable[[], None] = lambda: None,
) -> Drift:
    """Return the drift of *hosts*. A host that does not answer is one of the failures.

    *deadline* is in seconds for all hosts. *advance* is called after each host.

    Raises:
        SecretsError: secrets of a host are missing on this machine.
        FleetError: a host cannot be rendered.
    """
    stdin = "".join(Bundle(program()))
    answers = reading.run_on_hosts(loaded.fleet, hosts, LOOK, deadline=deadline, stdin=stdin)
    drifts, failures = [], list(answers.failures)
    for host in hosts:
        if host.name in answers.results:
            try:
                drifts.append(host_drift(loaded, host, answers.results[host.name]))
            except HostError as error:
                failures.append(error)
        advance()
    return Drift(hosts=tuple(drifts), failures=tuple(failures))


def host_drift(loaded: LoadedFleet, host: Host, output: str) -> HostDrift:
    """Return the drift of *host* from the *output* of a look; HostError if it has no state."""
    try:
        return _host_drift(loaded, host, checked(state_of(output)))
    except (ValueError, RecursionError) as error:
        raise HostError(host.name, str(error)) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        reason = f"it sent a state that is not valid ({type(error).__name__}: {error})"
        raise HostError(host.name, reason) from None


def _host_drift(loaded: LoadedFleet, host: Host, state: HostState) -> HostDrift:
    plan = decide(loaded, host, state, Consent())
    changes = plan.order is not None and plan.order.how != RECORD
    lines = plan.lines if changes or plan.refusal else ()
    return HostDrift(host=host.name, lines=lines, refusal=plan.refusal)
