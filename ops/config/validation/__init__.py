"""Judge a fleet, or configs that nobody here wrote: rules, and the real core."""

from ops.config.validation.files import validate_files
from ops.config.validation.fleet import validate_fleet
from ops.config.validation.report import Options, Report

__all__ = ["Options", "Report", "validate_files", "validate_fleet"]
