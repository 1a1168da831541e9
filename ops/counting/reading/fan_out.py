"""Do the same work on many hosts at once, by one deadline."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ops.counting.tunnel import Deadline
from ops.errors import HostError, OpsError, TunnelError
from ops.model import Host

T = TypeVar("T")
GRACE = 0.2
"""Seconds after the deadline in which the work itself can report its own, better, error."""
BUG = "its answer cannot be handled, which is a bug of xray-ops: please report it"


@dataclass(frozen=True, slots=True)
class Outcomes(Generic[T]):
    """The result or the failure of each host, in the order of the hosts."""

    results: dict[str, T]
    """By name of host."""
    failures: tuple[HostError, ...]


async def on_each(
    hosts: Sequence[Host],
    work: Callable[[Host, Deadline], Awaitable[T]],
    *,
    deadline: float,
    ended: Callable[[Host, T | HostError], None] | None = None,
) -> Outcomes[T]:
    """Do *work* on all *hosts* at once, and return the outcomes after at most *deadline* seconds.

    A failure of one host does not affect the others. *ended* is called for each host at its end.
    An OpsError that is no HostError is raised.
    """
    until = Deadline.after(deadline)

    async def work_on(host: Host) -> T | HostError:
        outcome = await _outcome(host, work, until)
        if ended:
            ended(host, outcome)
        return outcome

    async with asyncio.TaskGroup() as group:
        tasks = {host.name: group.create_task(work_on(host)) for host in hosts}
    outcomes = {name: task.result() for name, task in tasks.items()}
    return Outcomes(
        {name: o for name, o in outcomes.items() if not isinstance(o, HostError)},
        tuple(o for o in outcomes.values() if isinstance(o, HostError)),
    )


async def _outcome(
    host: Host, work: Callable[[Host, Deadline], Awaitable[T]], until: Deadline
) -> T | HostError:
    try:
        async with asyncio.timeout_at(until.at + GRACE):
            return await work(host, until)
    except HostError as error:
        return error
    except TimeoutError:
        return TunnelError(host.name, f"did not end within {until.seconds:g} s")
    except OpsError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug in the work on one host must not stop the others
        return HostError(host.name, f"{BUG} ({_bug_report(error)})")


def _bug_report(error: Exception) -> str:
    """Return type and message of *error*, and the file and line that raised it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error}, {Path(last.filename).name} line {last.lineno}"
