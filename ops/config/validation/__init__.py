"""Judge a fleet, or config files from anywhere, by rules and by the real core."""

from ops.config.validation.files import validate_files
from ops.config.validation.fleet import validate_fleet
from ops.config.validation.report import Options, Report

__all__ = ["Options", "Report", "validate_files", "validate_fleet"]
