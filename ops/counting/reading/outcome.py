"""The result of reading many hosts. Failures of hosts are values, not exceptions."""

from collections.abc import Callable
from dataclasses import dataclass

from ops.errors import HostError
from ops.model import Host, Reading

Progress = Callable[[Host, Reading | HostError], None]
"""Called for each host as soon as it has answered or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The readings of many hosts and the failures of the others, in the order of the fleet."""

    readings: tuple[Reading, ...]
    failures: tuple[HostError, ...]
