"""Rules over a config, beyond what the core itself says of it: pure, one small function a rule.

A config comes as :class:`~ops.config.lint.config.Config`, whoever wrote it; what is found comes back as
:class:`~ops.config.lint.finding.Finding`, with the JSON path, and is mapped to files by who asked.
"""

from ops.config.lint.config import Around, Config
from ops.config.lint.finding import (ERROR, NOTE, RULES, WARNING, Finding, Hit, Rule, Severity)
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
