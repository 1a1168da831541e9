"""The last lines of a pyinfra run: the hosts without the fleet's set, each with its reason.

pyinfra's own table lacks hosts that it did not reach, and hosts that were left as they were.
"""

import atexit
import logging
import re
from collections.abc import Iterator
from functools import cache

from pyinfra import logger
from pyinfra.api.state import State, StateStage

MOST = 20
"""The number of hosts to name. The rest appears as a count."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_READY = re.compile(r"\[([^\]]*)\] +Ready: ")
_reasons: dict[str, str] = {}
"""By host: the reason why it was left as it was."""


def left(host: str, reason: str) -> None:
    """Store the *reason* why *host* was left as it was."""
    _reasons[host] = reason


@cache
def begin(run: State) -> None:
    """Print the summary when pyinfra ends *run*."""
    logger.addFilter(_is_true)
    atexit.register(_print, run)


def lines(run: State, reasons: dict[str, str]) -> Iterator[str]:
    """Yield the lines of the summary; none if every host of *run* is well."""
    limit = run.limit_hosts
    chosen = [host for host in run.inventory if not limit or host in limit]
    failed = sorted(host.name for host in chosen if host in run.failed_hosts)
    if not failed:
        return
    if run.current_stage >= StateStage.Execute:
        done = len(chosen) - len(failed)
        yield f"--> {done} of {len(chosen)} hosts have the fleet's set now; the others:"
    else:
        yield f"--> {len(failed)} of {len(chosen)} hosts would not be rolled out:"
    reached = {host.name for host in run.activated_hosts}
    for name in failed[:MOST]:
        missing = _LATER if name in reached else _UNREACHED
        yield f"    [{name}] {reasons.get(name, missing)}"
    if len(failed) > MOST:
        yield f"    and {len(failed) - MOST} more"


_UNREACHED = "could not be reached: the reason is in its first message above"
_LATER = "failed: the reason is in its last message above"


def _print(run: State) -> None:
    for line in lines(run, _reasons):
        logger.error(line)


def _is_true(record: logging.LogRecord) -> bool:
    """Return False for pyinfra's line "Ready" about a host that was left as it was."""
    found = _READY.match(_COLOURS.sub("", str(record.msg)))
    return not (found and found[1] in _reasons)
