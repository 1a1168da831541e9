"""What many hosts answered: partial failure is a value."""

from collections.abc import Callable
from dataclasses import dataclass

from ops.errors import HostError
from ops.model import Host, Reading

Progress = Callable[[Host, Reading | HostError], None]
"""Told of each host as soon as it has answered or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One reading of many hosts: what some said, and why the others did not; in fleet order."""

    readings: tuple[Reading, ...]
    failures: tuple[HostError, ...]
