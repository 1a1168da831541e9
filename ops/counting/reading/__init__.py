"""Many hosts, one deadline: the only room that joins tunnel and API.

These functions are for programs without an event loop, such as the CLI. ssh and gRPC are
imported when the first of them is called, not before: that costs a third of a second.
"""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from ops.counting.reading.outcome import Progress, Round
from ops.model import Fleet, Host

if TYPE_CHECKING:
    from ops.counting.reading.commands import Inspection
    from ops.counting.reading.fan_out import Outcomes
    from ops.counting.tunnel import HostKey

__all__ = [
    "DEADLINE",
    "Progress",
    "Round",
    "host_keys",
    "inspect_hosts",
    "jump_hosts",
    "read_hosts",
    "run_on_hosts",
    "watch",
]

DEADLINE = 10.0
"""Seconds for everything about every host, unless the operator says otherwise."""


def read_hosts(
    fleet: Fleet,
    hosts: Sequence[Host],
    *,
    deadline: float = DEADLINE,
    progress: Progress | None = None,
) -> Round:
    """Read each of *hosts* once, all within *deadline* seconds; what fails is in the round."""
    from ops.counting.reading.event_loop import runner
    from ops.counting.reading.rounds import read_round

    with runner(len(hosts)) as loop:
        return loop.run(read_round(fleet, hosts, deadline=deadline, progress=progress))


def watch(
    fleet: Fleet, hosts: Sequence[Host], *, every: float, deadline: float = DEADLINE
) -> Generator[Round, None, None]:
    """Yield a round now and one each *every* seconds, over lines that stay open.

    Close the iterator (or let Ctrl-C end the loop over it) to hang up.
    """
    from ops.counting.reading.event_loop import runner
    from ops.counting.reading.rounds import watching

    with runner(len(hosts)) as loop:
        rounds = watching(fleet, hosts, every=every, deadline=deadline)
        try:
            while True:
                yield loop.run(anext(rounds))
        finally:
            loop.run(rounds.aclose())


def inspect_hosts(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float = DEADLINE
) -> "Outcomes[Inspection]":
    """Return what each of *hosts* runs; a failure is a host that ssh does not reach."""
    from ops.counting.reading.commands import inspect_each
    from ops.counting.reading.event_loop import runner

    with runner(len(hosts)) as loop:
        return loop.run(inspect_each(fleet, hosts, deadline=deadline))


def run_on_hosts(
    fleet: Fleet,
    hosts: Sequence[Host],
    command: str,
    *,
    deadline: float = DEADLINE,
    given: str = "",
) -> "Outcomes[str]":
    """Return what *command*, run as root by the host's shell, prints on each of *hosts*.

    *given* is what it finds on its stdin.
    """
    from ops.counting.reading.commands import run_on_each
    from ops.counting.reading.event_loop import runner

    with runner(len(hosts)) as loop:
        return loop.run(run_on_each(fleet, hosts, command, deadline=deadline, given=given))


def host_keys(fleet: Fleet, host: Host, *, deadline: float = DEADLINE) -> "tuple[HostKey, ...]":
    """Return the host keys that *host* shows to a stranger; TunnelError if it shows none."""
    from ops.counting.reading.commands import keys_of
    from ops.counting.reading.event_loop import runner

    with runner(1) as loop:
        return loop.run(keys_of(fleet, host, deadline=deadline))


def jump_hosts(fleet: Fleet) -> dict[str, Host]:
    """Return by name the jump hosts that hosts of *fleet* have; nobody is dialled."""
    from ops.counting.reading.commands import jump_hosts_of
    from ops.counting.reading.event_loop import runner

    with runner(1) as loop:
        return loop.run(jump_hosts_of(fleet))
