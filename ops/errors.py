"""What can go wrong, split by whose move it is next.

* OpsError               one sentence: what, where, what to do
  + UsageError      (2)  what was typed names nothing: an unknown key, host or glob
  + FleetError      (1)  the files of the fleet are wrong: edit them; holds every problem found
  + SecretsError    (1)  secrets are missing, unreadable, or would be replaced
  + CoreError       (1)  the core's archive or program is not what the inventory pins
  + LedgerError     (1)  the ledger cannot be reached, or refuses: nothing was booked
  + HostError       (3)  one host failed; the others may be fine
    + TunnelError        ssh did not come up
    + ApiError           ssh is up, the Xray API did not answer

The number is the exit code when nothing else is said (see README, exit codes).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ops.model.spelling import with_suggestion
from ops.model.visible import LONGEST_MESSAGE, MOST, visible


class OpsError(Exception):
    """Anything a person can mend; its text is the whole message."""

    exit_code: ClassVar[int] = 1


class UsageError(OpsError):
    """The typed names or options do not fit: for example, no host has this name."""

    exit_code: ClassVar[int] = 2


class UnknownNameError(UsageError):
    """A typed name or glob matches nothing; the message suggests the closest known names.

    >>> print(UnknownNameError("host", "fra9", ["fra1", "ams1"]))
    unknown host 'fra9'; did you mean 'fra1'?
    >>> print(UnknownNameError("key", "x*", []))
    no key matches 'x*'
    """

    def __init__(self, noun: str, name: str, known: Iterable[str]) -> None:
        is_glob = set("*?[") & set(name)
        message = f"no {noun} matches {name!r}" if is_glob else f"unknown {noun} {name!r}"
        super().__init__(visible(with_suggestion(message, name, known), LONGEST_MESSAGE))


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend: where it is, what it is, and what to write instead."""

    file: str
    line: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return ``file:line: message; remedy``, the form that editors jump to."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return place + self.message + (f"; {self.remedy}" if self.remedy else "")


class FleetError(OpsError):
    """The files of the fleet are wrong: every problem found, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SecretsError(OpsError):
    """Secrets are missing, unreadable, or would be replaced."""


class CoreError(OpsError):
    """The core's archive or program is not what the inventory pins."""


class LedgerError(OpsError):
    """The ledger cannot be reached, or refuses: nothing was booked, and nothing is lost."""


class HostError(OpsError):
    """One host failed; the others may be fine.

    Its reason may hold words of the host: they are made visible and cut here.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, host: str, reason: str) -> None:
        self.host = host
        self.reason = visible(reason, MOST)
        super().__init__(f"{host}: {self.reason}")


class TunnelError(HostError):
    """The ssh connection, or the forward through it, did not come up."""


class ApiError(HostError):
    """The ssh connection is up, but the Xray API behind it did not answer."""
