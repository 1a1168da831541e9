"""Show what was found to GitLab, in a merge request: its Code Quality report."""

from hashlib import sha256

from ops.cli.printing import console
from ops.config.lint import ERROR, NOTE, WARNING, Finding
from ops.config.validation import Report
from ops.config.validation.report import merged

_SEVERITIES = {ERROR: "critical", WARNING: "minor", NOTE: "info"}


def gitlab(report: Report) -> str:
    """Return *report* as the list that ``artifacts: reports: codequality`` takes."""
    return console.as_json(
        [
            {
                "description": f"{finding.message}; {finding.remedy}",
                "check_name": f"{finding.rule.code} {finding.rule.name}",
                "fingerprint": _fingerprint(finding, subjects),
                "severity": _SEVERITIES[finding.severity],
                # Without a place GitLab shows nothing: what is about none is at the head.
                "location": {
                    "path": finding.file or "inventory/hosts.toml",
                    "lines": {"begin": finding.line or 1},
                },
            }
            for finding, subjects in merged(report.findings)
        ]
    )


def _fingerprint(finding: Finding, subjects: tuple[str, ...]) -> str:
    """Return what stays the same while lines above it come and go."""
    parts = (finding.rule.code, finding.file, finding.message, finding.json_path, *subjects)
    return sha256("\0".join(parts).encode()).hexdigest()
