"""Rules that judge a config, beyond the checks of the core itself: one pure function a rule.

The input is a :class:`~ops.config.lint.config.Config`. The output is a list of
:class:`~ops.config.lint.finding.Finding`, each with a JSON path; the caller maps paths to files.
"""

from ops.config.lint.config import Around, Config
from ops.config.lint.finding import ERROR, NOTE, RULES, WARNING, Finding, Hit, Rule, Severity
from ops.config.lint.judge import judge
from ops.config.lint.merge import merged
from ops.config.lint.positions import Path, shown
from ops.config.lint.schema import version_of
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
    "Path",
    "Rule",
    "Severity",
    "Text",
    "judge",
    "merged",
    "read",
    "shown",
    "version_of",
]
