"""The errors of ops. Each is one sentence with the fault, its place and a remedy.

* OpsError
  + UsageError      (2)  the command line does not fit: an unknown key, host or glob
  + FleetError      (1)  the files of the fleet are wrong; it holds every problem
  + SecretsError    (1)  secrets are missing or unreadable, or the command would replace them
  + CoreError       (1)  the core's archive or program is not the pinned one
  + LedgerError     (1)  the ledger cannot be reached, or it refuses: nothing was booked
  + HostError       (3)  one host failed
    + TunnelError        the ssh connection failed
    + ApiError           the ssh connection works, but the Xray API did not answer

The number is the exit code of a command that ends with this error.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ops.model.spelling import with_suggestion
from ops.model.visible import LONGEST_MESSAGE, MOST, visible


class OpsError(Exception):
    """An error that a person can fix. Its text is the whole message."""

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
    """One error in a file, with its line and a remedy. Line 0 means the whole file."""

    file: str
    line: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return ``file:line: message; remedy``. Editors can jump to this form."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return place + self.message + (f"; {self.remedy}" if self.remedy else "")


class FleetError(OpsError):
    """The files of the fleet are wrong. It holds every problem, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SecretsError(OpsError):
    """Secrets are missing or unreadable, or the command would replace them."""


class CoreError(OpsError):
    """The core's archive or program is not the pinned one."""


class LedgerError(OpsError):
    """The ledger cannot be reached, or it refuses. Nothing was booked, and nothing is lost."""


class HostError(OpsError):
    """One host failed.

    The reason can contain text from the host, so it is escaped and cut.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, host: str, reason: str) -> None:
        self.host = host
        self.reason = visible(reason, MOST)
        super().__init__(f"{host}: {self.reason}")


class TunnelError(HostError):
    """The ssh connection, or the forwarding through it, failed."""


class ApiError(HostError):
    """The ssh connection works, but the Xray API did not answer."""
