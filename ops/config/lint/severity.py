"""The severity of findings."""

from enum import IntEnum


class Severity(IntEnum):
    """The severity of a finding; an error fails the validation, and with --strict a warning too."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    def __str__(self) -> str:
        """Return the name in small letters."""
        return self.name.lower()


NOTE, WARNING, ERROR = Severity
