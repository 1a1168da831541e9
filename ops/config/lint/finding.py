"""Rules and their findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ops.config.lint.config import Config
from ops.config.lint.positions import Path, shown
from ops.config.lint.schema import Version
from ops.config.lint.severity import Severity


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule is broken."""

    path: Path
    message: str
    """A sentence about this place, without a full stop and without a secret."""
    severity: Severity | None = None
    """The severity, if it is not the rule's."""
    remedy: str = ""
    """The remedy, if it is not the rule's."""


Check = Callable[[Config], Iterator[Hit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintRule:
    """A rule of `ops validate`: one kind of fault in a config."""

    code: str
    """``XO`` and three digits, of which the first is the topic. It never changes."""
    name: str
    severity: Severity
    sentence: str
    """The fault, as one sentence."""
    why: str
    """The consequence of the fault."""
    remedy: str
    """The change that corrects the fault."""
    since: Version = ()
    """The first core with this fault."""
    before: Version = ()
    """The first later core without this fault."""
    check: Check | None = field(default=None, compare=False)
    """None if the fault is not in a config, but in the core, the secrets or a file."""

    def holds_for(self, version: Version) -> bool:
        """Return whether the rule applies to the core of *version*."""
        return self.since <= version and (not self.before or version < self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault at a place, for people, CI and editors."""

    rule: LintRule
    severity: Severity
    message: str
    remedy: str
    subject: str
    """The host, or the config file."""
    path: Path = ()
    """The place in the config."""
    file: str = ""
    line: int = 0
    """The line to edit, from 1; 0 if no line is known."""

    @classmethod
    def of(
        cls, rule: LintRule, hit: Hit, *, subject: str = "", file: str = "", line: int = 0
    ) -> "Finding":
        """Return the finding of *hit*; severity and remedy are the rule's by default."""
        return cls(
            rule=rule,
            severity=rule.severity if hit.severity is None else hit.severity,
            message=hit.message,
            remedy=hit.remedy or rule.remedy,
            subject=subject,
            path=hit.path,
            file=file,
            line=line,
        )

    @property
    def place(self) -> str:
        """Return ``file:line``, the form that editors jump to."""
        return f"{self.file}:{self.line}" if self.line else self.file or self.subject

    @property
    def json_path(self) -> str:
        """Return the place in the config in jq's notation."""
        return shown(self.path)


RULES: dict[str, LintRule] = {}
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
    """Register the decorated function as the check of a new rule."""

    def register(check: Check) -> Check:
        add(
            LintRule(
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


def add(new: LintRule) -> LintRule:
    """Add *new* to ``RULES`` and return it."""
    assert new.code not in RULES, new.code  # noqa: S101
    RULES[new.code] = new
    return new
