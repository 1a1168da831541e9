"""The exit codes of `ops`: 2 is a usage error of Click, 70 and 130 are in `main`."""

from typing import TYPE_CHECKING

from ops.cli.printing import console

if TYPE_CHECKING:
    from ops.counting.collecting import Collected

OK = 0
NO = 1
"""The answer is no: something is wrong, behind, or different."""
SOME_UNKNOWN = 3
"""Some hosts did not answer, or a figure is not exact."""
NONE_ANSWERED = 4


def of_hosts(asked: int, failed: int) -> int:
    """Return the exit code for *failed* of *asked* hosts.

    Prints a line to stderr if no host was asked.
    """
    if not asked:
        console.failures(["no host was asked: each selected host is in maintenance or absent"])
        return NONE_ANSWERED
    if not failed:
        return OK
    return SOME_UNKNOWN if failed < asked else NONE_ANSWERED


def of_round(round_: "Collected") -> int:
    """Return the exit code for one round of collecting.

    A failed host comes first; NO is for the ledger, or for a host that waits for adoption.
    """
    if round_.failures:
        return SOME_UNKNOWN if round_.read else NONE_ANSWERED
    return NO if round_.ledger_error or round_.unadopted else OK
