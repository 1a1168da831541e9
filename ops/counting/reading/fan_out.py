"""Do the same with many hosts at once, by one deadline."""

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
"""Seconds that a host's own account of its lateness has before it is given up without one."""
BUG = "what it says cannot be handled, which is a bug of xray-ops: please report it"


@dataclass(frozen=True, slots=True)
class Outcomes(Generic[T]):
    """What came of each host, in the order the hosts were given."""

    results: dict[str, T]
    """By the host's name."""
    failures: tuple[HostError, ...]


async def on_each(
    hosts: Sequence[Host],
    work: Callable[[Host, Deadline], Awaitable[T]],
    *,
    deadline: float,
    ended: Callable[[Host, T | HostError], None] | None = None,
) -> Outcomes[T]:
    """Return what *work* made of each of *hosts* within *deadline* seconds.

    A HostError of one host touches no other. *ended* is told of each as it ends.
    """
    until = Deadline.after(deadline)

    async def one(host: Host) -> T | HostError:
        outcome = await _outcome(host, work, until)
        if ended:
            ended(host, outcome)
        return outcome

    async with asyncio.TaskGroup() as group:
        tasks = {host.name: group.create_task(one(host)) for host in hosts}
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
    except Exception as error:  # noqa: BLE001 - a host that hits a bug of ours must stop no other
        return HostError(host.name, f"{BUG} ({_place(error)})")


def _place(error: Exception) -> str:
    """Return what *error* is and where it was raised, for a report."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error}, {Path(last.filename).name} line {last.lineno}"
