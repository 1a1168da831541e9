"""What was judged, by what, and what was found."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ops.config.core.chosen import Chosen
from ops.config.lint import ERROR, NOTE, WARNING, Finding, Rule, Severity
from ops.config.lint.rules import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How strictly to judge."""

    core: Path | None = None
    """A program to test with, in place of the pinned one."""
    without_core: bool = False
    require_core: bool = False
    require_secrets: bool = False
    seconds: float = 20.0
    """The longest that rendering one host may take."""


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
    """How many configs the core has tested."""
    ignored: int = 0
    """How many findings hosts ignore, each with a reason."""

    def count(self, severity: Severity) -> int:
        """Return how many findings are of *severity*; what hosts share counts once."""
        return sum(finding.severity == severity for finding, _ in merged(self.findings))

    def failed(self, *, strict: bool = False) -> bool:
        """Return whether the answer is no; warnings say no where *strict*."""
        return any(f.severity >= (WARNING if strict else ERROR) for f in self.findings)


@dataclass
class Findings:
    """Findings being gathered."""

    found: list[Finding] = field(default_factory=list)

    def say(
        self,
        rule: Rule,
        message: str,
        *,
        subject: str = "",
        file: str = "",
        line: int = 0,
        severity: Severity | None = None,
        remedy: str = "",
    ) -> None:
        """Take in what is not found in a config: the core, the secrets, a file."""
        self.found.append(
            Finding(
                rule=rule,
                severity=rule.severity if severity is None else severity,
                message=message,
                remedy=remedy or rule.remedy,
                subject=subject,
                file=file,
                line=line,
            )
        )

    def in_order(self) -> tuple[Finding, ...]:
        """Return them as people mend them: the worst first, then by file and line."""
        order = sorted(self.found, key=lambda f: (-f.severity, f.file, f.line, f.rule.code))
        return tuple(order)


_WITH_CORE = "without --no-core the pinned core tests it, too"
_WITHOUT_FLEET = "name one with --core FILE, or run this in a fleet with a pinned core"


def about_core(findings: Findings, chosen: Chosen | None, pinned: str, options: Options) -> None:
    """Say that there is no core, or another than the pinned one."""
    severity = ERROR if options.require_core else WARNING
    if options.without_core:
        message = "no core tested this, because of --no-core"
        findings.say(run.CORE_NOT_ASKED, message, severity=NOTE, remedy=_WITH_CORE)
    elif chosen is None:
        wanted = f"core {pinned}" if pinned else "a core"
        message = f"{wanted} is neither cached nor installed: nothing was tested by it"
        remedy = "" if pinned else _WITHOUT_FLEET
        findings.say(run.CORE_NOT_ASKED, message, severity=severity, remedy=remedy)
    elif pinned and not chosen.is_pinned:
        same = " (the same version, but not from the pinned release)"
        message = (
            f"core {chosen.version} tested, the inventory pins {pinned}"
            f"{same if chosen.version == pinned else ''}"
        )
        findings.say(run.CORE_NOT_PINNED, message, severity=severity)


def merged(findings: Iterable[Finding]) -> list[tuple[Finding, tuple[str, ...]]]:
    """Return *findings* once each, with the subjects that share them, in their order."""
    found: dict[Finding, list[str]] = {}
    for finding in findings:
        found.setdefault(replace(finding, subject="", path=()), []).append(finding.subject)
    firsts = {replace(one, subject="", path=()): one for one in reversed(list(findings))}
    return [(firsts[one], tuple(dict.fromkeys(hosts))) for one, hosts in found.items()]
