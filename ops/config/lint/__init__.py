"""Judge configs by rules, beyond the checks of the core itself.

Each rule is one pure function. It takes a :class:`~ops.config.lint.config.Config` and yields a
:class:`~ops.config.lint.finding.Hit` with a JSON path for each fault. The caller finds the file and
line of the path.
"""

from ops.config.lint.config import Around, Config
from ops.config.lint.finding import RULES, Finding, Hit, LintRule
from ops.config.lint.judge import judge
from ops.config.lint.merge import merged
from ops.config.lint.positions import Path, shown
from ops.config.lint.schema import version_of
from ops.config.lint.severity import ERROR, NOTE, WARNING, Severity
from ops.config.lint.text import ConfigError, Text, read

__all__ = [
    "ERROR",
    "NOTE",
    "RULES",
    "WARNING",
    "Around",
    "Config",
    "ConfigError",
    "Finding",
    "Hit",
    "LintRule",
    "Path",
    "Severity",
    "Text",
    "judge",
    "merged",
    "read",
    "shown",
    "version_of",
]
