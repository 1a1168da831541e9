"""Read many hosts by one deadline. The only folder that joins the tunnel and the API.

These functions are for programs without an event loop, such as the CLI. They import ssh and gRPC
at their first call, not before, because that import takes a third of a second.
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
"""Default number of seconds for all work on all hosts."""
DRIFT_DEADLINE = 30.0
"""The same for drift, because a host reads all its files for it."""


def read_hosts(
    fleet: Fleet,
    hosts: Sequence[Host],
    *,
    deadline: float = DEADLINE,
    progress: Progress | None = None,
) -> Round:
    """Read each of *hosts* once, all within *deadline* seconds.

    Hosts that fail are among the failures of the round. *progress* is called for each host.
    """
    from ops.counting.reading.event_loop import open_event_loop
    from ops.counting.reading.rounds import read_round

    with open_event_loop(len(hosts)) as loop:
        return loop.run(read_round(fleet, hosts, deadline=deadline, progress=progress))


def watch(
    fleet: Fleet, hosts: Sequence[Host], *, every: float, deadline: float = DEADLINE
) -> Generator[Round, None, None]:
    """Yield a round now and then one each *every* seconds, over lines that stay open.

    Close the iterator, or end the loop over it by Ctrl-C, to close the lines.
    """
    from ops.counting.reading.event_loop import open_event_loop
    from ops.counting.reading.rounds import watch_rounds

    with open_event_loop(len(hosts)) as loop:
        rounds = watch_rounds(fleet, hosts, every=every, deadline=deadline)
        try:
            while True:
                yield loop.run(anext(rounds))
        finally:
            loop.run(rounds.aclose())


def inspect_hosts(
    fleet: Fleet, hosts: Sequence[Host], *, deadline: float = DEADLINE
) -> "Outcomes[Inspection]":
    """Return the core's version and a reading of each of *hosts*.

    Only hosts that ssh does not reach are failures.
    """
    from ops.counting.reading.commands import inspect_each
    from ops.counting.reading.event_loop import open_event_loop

    with open_event_loop(len(hosts)) as loop:
        return loop.run(inspect_each(fleet, hosts, deadline=deadline))


def run_on_hosts(
    fleet: Fleet,
    hosts: Sequence[Host],
    command: str,
    *,
    deadline: float = DEADLINE,
    stdin: str = "",
) -> "Outcomes[str]":
    """Run *command* as root in the shell of each of *hosts*, and return its output.

    *stdin* is its standard input.
    """
    from ops.counting.reading.commands import run_on_each
    from ops.counting.reading.event_loop import open_event_loop

    with open_event_loop(len(hosts)) as loop:
        return loop.run(run_on_each(fleet, hosts, command, deadline=deadline, stdin=stdin))


def host_keys(fleet: Fleet, host: Host, *, deadline: float = DEADLINE) -> "tuple[HostKey, ...]":
    """Return the host keys that *host* shows, without a login; TunnelError if it shows none."""
    from ops.counting.reading.commands import host_keys_of
    from ops.counting.reading.event_loop import open_event_loop

    with open_event_loop(1) as loop:
        return loop.run(host_keys_of(fleet, host, deadline=deadline))


def jump_hosts(fleet: Fleet) -> dict[str, Host]:
    """Return by name the jump hosts of the hosts of *fleet*; nothing is connected."""
    from ops.counting.reading.commands import jump_hosts_of
    from ops.counting.reading.event_loop import open_event_loop

    with open_event_loop(1) as loop:
        return loop.run(jump_hosts_of(fleet))
