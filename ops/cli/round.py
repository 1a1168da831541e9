"""One reading of the selected hosts: progress while it runs, and the exit code it earns."""

from typing import TYPE_CHECKING

from ops.cli import show
from ops.cli.options import Selected

if TYPE_CHECKING:
    from ops.reading import Round


def read(selected: Selected, timeout: float) -> "Round":
    """Read the selected hosts once; what did not answer within *timeout* seconds is a failure."""
    from ops import reading  # ssh and gRPC cost half a second of imports: only when they are needed

    hosts = selected.hosts
    with show.progress("Reading", len(hosts)) as advance:
        return reading.read(selected.fleet, hosts, deadline=timeout, progress=advance)


def exit_code(answer: "Round") -> int:
    """Return 0 if every host answered, 3 if some did not, 4 if none did."""
    failed = len(answer.failures)
    return show.exit_code(failed + len(answer.readings), failed)
