"""The state of the hosts: reachability, the core's version and age, the number of keys in use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from ops.counting import reading
from ops.counting.reading import DEADLINE
from ops.errors import HostError
from ops.model import Host
from ops.reporting.rows import by_key
from ops.reporting.selection import Selection

if TYPE_CHECKING:
    from ops.counting.reading.commands import Inspection

_State = Literal["up", "no answer", "unreachable", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """The state of one host. Fields after *core* are None unless its state is ``up``."""

    host: str
    state: _State
    """``no answer``: ssh reached the host, but the API of the core did not answer.

    ``absent``: the inventory wants no core there, so the host was not asked.
    """
    core: str | None = None
    """The core's version, empty if no core is installed; None if ssh did not reach the host."""
    uptime: timedelta | None = None
    counting_since: datetime | None = None
    keys_used: int | None = None
    """The number of keys that the core has counted since it started."""
    way: str | None = None
    """How the API was read: by a forwarded ``socket`` or ``port``, or by ``exec``."""
    reason: str | None = None
    """The reason why the host is not up."""


def read_hosts(
    selection: Selection,
    *,
    deadline: float = DEADLINE,
    progress: Callable[[], None] = lambda: None,
) -> list[HostReport]:
    """Ask the selected hosts and return the state of each, in the order of the fleet."""
    chosen = selection.hosts_even_absent
    asked = [host for host in chosen if host.is_up]
    answers = reading.inspect_hosts(selection.fleet, asked, deadline=deadline)
    progress()
    failures = {error.host: error for error in answers.failures}
    return [
        host_report(host, answers.results.get(host.name), failures.get(host.name))
        if host.is_up
        else HostReport(host=host.name, state="absent")
        for host in chosen
    ]


def host_report(host: Host, answer: "Inspection | None", failure: HostError | None) -> HostReport:
    """Return the report of one host from its answer, or from the failure to reach it."""
    if answer is None:
        reason = failure.reason if failure else ""
        return HostReport(host=host.name, state="unreachable", reason=reason)
    now = answer.reading
    if isinstance(now, HostError):
        return HostReport(host=host.name, state="no answer", core=answer.core, reason=now.reason)
    return HostReport(
        host=host.name,
        state="up",
        core=answer.core,
        uptime=now.read_at - now.counting_since,
        counting_since=now.counting_since,
        keys_used=len(by_key(now.users)),
        way=now.way,
    )
