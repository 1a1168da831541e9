"""The findings of `ops validate`: text, JSON, and the formats of GitHub, GitLab and SARIF."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import click

from ops.cli.printing import console
from ops.config.lint import ERROR, NOTE, RULES, WARNING, Finding, LintRule
from ops.config.validation import Report
from ops.config.validation.report import merged
from ops.model.phrases import counted

_COLOURS = {ERROR: "red", WARNING: "yellow", NOTE: "cyan"}
_GITLAB = {ERROR: "critical", WARNING: "minor", NOTE: "info"}
_HEAD = "inventory/hosts.toml"
"""The file of a finding without a place: GitLab and SARIF show only findings with a place."""
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def text(report: Report) -> str:
    """Return *report* for people: a line for each finding, in a form that editors read."""
    return "\n".join([*_lines(report), summary(report)])


def _lines(report: Report) -> Iterator[str]:
    for finding, subjects in merged(report.findings):
        severity = click.style(str(finding.severity), fg=_COLOURS[finding.severity], bold=True)
        about = ", ".join(filter(None, [_hosts(report, subjects), finding.json_path]))
        message = f"{finding.message}{f' ({about})' if about else ''}; {finding.remedy}"
        place = f"{_printable(finding.place)}: " if finding.place else ""
        yield f"{place}{severity} {finding.rule.code}: {_printable(message)}"


def _printable(text: str) -> str:
    """Return *text* on one line, with ? for each control character."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _hosts(report: Report, subjects: tuple[str, ...]) -> str:
    """Return the hosts of a finding of a fleet; empty for a single config."""
    named = [name for name in subjects if name]
    if not report.pinned or not named:
        return ""
    more = counted(len(named) - 1, "more host")
    return named[0] if len(named) == 1 else f"{named[0]} and {more}"


def summary(report: Report) -> str:
    """Return the last line: the number of hosts, the core of the test, the number of findings."""
    noun = "host" if report.pinned else "config"
    count = len(report.subjects) if report.pinned else 1
    by = _core(report)
    counts = ", ".join(counted(report.count(s), str(s)) for s in (ERROR, WARNING, NOTE))
    ignored = f", {report.ignored} ignored" if report.ignored else ""
    return f"{counted(count, noun)}, {by}: {counts}{ignored}"


def _core(report: Report) -> str:
    if report.core is None:
        return "tested by no core"
    pinned = ", the pinned one" if report.core.is_pinned else ""
    return f"tested by core {report.core.version}{pinned}" if report.tested else "not tested"


def github(report: Report) -> str:
    """Return *report* as workflow commands, which GitHub shows as annotations of lines."""
    words = {ERROR: "error", WARNING: "warning", NOTE: "notice"}
    lines = []
    for finding, subjects in merged(report.findings):
        place = f"file={_property(finding.file)}," if finding.file else ""
        place += f"line={finding.line}," if finding.line else ""
        title = _property(f"{finding.rule.code} {finding.rule.name}")
        about = f" ({_hosts(report, subjects)})" if _hosts(report, subjects) else ""
        message = _data(f"{finding.message}{about}; {finding.remedy}")
        lines.append(f"::{words[finding.severity]} {place}title={title}::{message}")
    return "\n".join([*lines, summary(report)])


def _data(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(message: str) -> str:
    return _data(message).replace(":", "%3A").replace(",", "%2C")


def gitlab(report: Report) -> str:
    """Return *report* as a Code Quality report, for ``artifacts: reports: codequality``."""
    return console.as_json(
        [
            {
                "description": f"{finding.message}; {finding.remedy}",
                "check_name": f"{finding.rule.code} {finding.rule.name}",
                "fingerprint": _fingerprint(finding, subjects),
                "severity": _GITLAB[finding.severity],
                "location": {
                    "path": finding.file or _HEAD,
                    "lines": {"begin": finding.line or 1},
                },
            }
            for finding, subjects in merged(report.findings)
        ]
    )


def _fingerprint(finding: Finding, subjects: tuple[str, ...]) -> str:
    """Return a hash of *finding* that stays the same while lines above it come and go."""
    parts = (finding.rule.code, finding.file, finding.message, finding.json_path, *subjects)
    return sha256("\0".join(parts).encode()).hexdigest()


def as_json(report: Report) -> str:
    """Return *report* for programs."""
    core = report.core
    return console.as_json(
        {
            "core": {
                "version": core.version if core else None,
                "is_pinned": bool(core and core.is_pinned),
                "pinned_version": report.pinned or None,
                "tested": report.tested,
            },
            "subjects": list(report.subjects),
            **{f"{severity}s": report.count(severity) for severity in (ERROR, WARNING, NOTE)},
            "ignored": report.ignored,
            "findings": [
                {
                    "code": finding.rule.code,
                    "name": finding.rule.name,
                    "severity": str(finding.severity),
                    "message": finding.message,
                    "remedy": finding.remedy,
                    "subjects": [name for name in subjects if name],
                    "path": list(finding.path),
                    "file": finding.file or None,
                    "line": finding.line or None,
                }
                for finding, subjects in merged(report.findings)
            ],
        }
    )


def sarif(report: Report) -> str:
    """Return *report* as SARIF 2.1.0 (OASIS), for code scanning."""
    rules = sorted({finding.rule.code for finding in report.findings})
    driver = {"name": "ops validate", "rules": [_sarif_rule(RULES[code]) for code in rules]}
    results = [_sarif_result(finding, rules) for finding, _ in merged(report.findings)]
    runs = [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}]
    return console.as_json({"$schema": _SARIF, "version": "2.1.0", "runs": runs})


def _sarif_rule(rule: LintRule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.sentence},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _sarif_result(finding: Finding, rules: list[str]) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(finding.file or _HEAD)},
            "region": {"startLine": finding.line or 1},
        }
    }
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.json_path}]
    return {
        "ruleId": finding.rule.code,
        "ruleIndex": rules.index(finding.rule.code),
        "level": str(finding.severity),
        "message": {"text": f"{finding.message}; {finding.remedy}"},
        "locations": [location],
    }


def explained(rule: LintRule) -> str:
    """Return the code, the reason and the remedy of *rule*."""
    return (
        f"{rule.code} {rule.name} ({rule.severity}{versions(rule)})\n\n"
        f"{rule.sentence}\n\nWhy: {rule.why}\nRemedy: {rule.remedy}"
    )


def versions(rule: LintRule) -> str:
    """Return the range of cores of *rule* as the end of a list; empty for all cores."""
    since = f", core {'.'.join(map(str, rule.since))} or newer" if rule.since else ""
    before = f", before core {'.'.join(map(str, rule.before))}" if rule.before else ""
    return since + before
