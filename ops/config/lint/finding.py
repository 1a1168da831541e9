"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from ops.config.lint.positions import Path, shown
from ops.config.lint.schema import Version

if TYPE_CHECKING:
    from ops.config.lint.config import Config


class Severity(IntEnum):
    """How bad a finding is; only an error fails (and a warning, where that is asked for)."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    def __str__(self) -> str:
        """Return the word for people and programs."""
        return self.name.lower()


NOTE, WARNING, ERROR = Severity


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule is broken."""

    path: Path
    message: str
    """A sentence about this place; without a dot at its end, and without a secret."""
    severity: Severity | None = None
    """If it is another than the rule's."""
    remedy: str = ""
    """If it is another than the rule's."""


Check = Callable[["Config"], Iterator[Hit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that can be wrong with a config."""

    code: str
    """Stable: ``XO`` and three digits, the first for the topic."""
    name: str
    severity: Severity
    sentence: str
    """What the rule says."""
    why: str
    """What happens otherwise."""
    remedy: str
    """What to write instead."""
    since: Version = ()
    """The first core that it holds for."""
    before: Version = ()
    """The first core that it no longer holds for."""
    check: Check | None = field(default=None, compare=False)
    """None where something else than a config is judged: the core, the secrets."""

    def holds_for(self, version: Version) -> bool:
        """Return whether it is about cores of *version*."""
        return self.since <= version and (not self.before or version < self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that a config breaks, and where: for people, CI and editors."""

    rule: Rule
    severity: Severity
    message: str
    remedy: str
    subject: str
    """The host, or the config file."""
    path: Path = ()
    """In the config."""
    file: str = ""
    line: int = 0
    """What to edit, from 1; 0 where no line is to blame."""

    @property
    def place(self) -> str:
        """Return ``file:line``, the form that editors jump to."""
        return f"{self.file}:{self.line}" if self.line else self.file or self.subject

    @property
    def json_path(self) -> str:
        """Return where in the config it is, as jq writes it."""
        return shown(self.path)


RULES: dict[str, Rule] = {}
"""Every rule, by its code."""


def rule(
    code: str,
    name: str,
    severity: Severity,
    sentence: str,
    *,
    why: str,
    remedy: str,
    since: Version = (),
    before: Version = (),
) -> Callable[[Check], Check]:
    """Make the decorated function the check of a new rule."""

    def register(check: Check) -> Check:
        add(
            Rule(
                code=code,
                name=name,
                severity=severity,
                sentence=sentence,
                why=why,
                remedy=remedy,
                since=since,
                before=before,
                check=check,
            )
        )
        return check

    return register


def add(new: Rule) -> Rule:
    """Take *new* in among the rules."""
    assert new.code not in RULES, new.code  # noqa: S101
    RULES[new.code] = new
    return new
