"""The report of a validation: its subjects, its core and its findings."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ops.config.core.chosen import Chosen
from ops.config.lint import ERROR, NOTE, WARNING, Finding, Hit, LintRule, Severity
from ops.config.lint.rules import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The core to test with, and the strictness of a validation."""

    core: Path | None = None
    """A program to test with, instead of the pinned one."""
    without_core: bool = False
    require_core: bool = False
    require_secrets: bool = False
    seconds: float = 20.0
    """The time limit for rendering one host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer to ``ops validate``."""

    subjects: tuple[str, ...]
    """The hosts, or the files."""
    findings: tuple[Finding, ...]
    core: Chosen | None = None
    pinned: str = ""
    """The version that the inventory pins; empty without an inventory."""
    tested: int = 0
    """The number of configs that the core tested."""
    ignored: int = 0
    """The number of findings that hosts ignore, each with a reason."""

    def count(self, severity: Severity) -> int:
        """Return the number of findings of *severity*; one that hosts share counts once."""
        return sum(finding.severity == severity for finding, _ in merged(self.findings))

    def failed(self, *, strict: bool = False) -> bool:
        """Return whether there is an error, or a warning if *strict*."""
        return any(f.severity >= (WARNING if strict else ERROR) for f in self.findings)


@dataclass
class Findings:
    """Collects findings during a validation."""

    entries: list[Finding] = field(default_factory=list)

    def add(
        self,
        rule: LintRule,
        message: str,
        *,
        subject: str = "",
        file: str = "",
        line: int = 0,
        severity: Severity | None = None,
        remedy: str = "",
    ) -> None:
        """Add a finding that has no place in a config: about the core, the secrets or a file."""
        hit = Hit((), message, severity, remedy)
        self.entries.append(Finding.of(rule, hit, subject=subject, file=file, line=line))

    def in_order(self) -> tuple[Finding, ...]:
        """Return the findings, the most severe first, then by file, line and code."""
        order = sorted(self.entries, key=lambda f: (-f.severity, f.file, f.line, f.rule.code))
        return tuple(order)


_WITH_CORE = "without --no-core the pinned core tests it, too"
_WITHOUT_FLEET = "name one with --core FILE, or run this in a fleet with a pinned core"


def about_core(findings: Findings, chosen: Chosen | None, pinned: str, options: Options) -> None:
    """Add a finding if no core, or another than the pinned core, tests the configs."""
    severity = ERROR if options.require_core else WARNING
    if options.without_core:
        message = "no core tested this, because of --no-core"
        findings.add(run.CORE_NOT_ASKED, message, severity=NOTE, remedy=_WITH_CORE)
    elif chosen is None:
        wanted = f"core {pinned}" if pinned else "a core"
        message = f"{wanted} is neither cached nor installed: no config was tested"
        remedy = "" if pinned else _WITHOUT_FLEET
        findings.add(run.CORE_NOT_ASKED, message, severity=severity, remedy=remedy)
    elif pinned and not chosen.is_pinned:
        same = " (the same version, but not from the pinned release)"
        message = (
            f"core {chosen.version} tested, but the inventory pins {pinned}"
            f"{same if chosen.version == pinned else ''}"
        )
        findings.add(run.CORE_NOT_PINNED, message, severity=severity)


def merged(findings: Iterable[Finding]) -> list[tuple[Finding, tuple[str, ...]]]:
    """Return *findings* without repeats, each with the subjects that share it, in their order."""
    shared: dict[Finding, list[str]] = {}
    for finding in findings:
        shared.setdefault(replace(finding, subject="", path=()), []).append(finding.subject)
    firsts = {replace(one, subject="", path=()): one for one in reversed(list(findings))}
    return [(firsts[one], tuple(dict.fromkeys(hosts))) for one, hosts in shared.items()]
