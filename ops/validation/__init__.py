"""Judge a fleet, or configs that nobody here wrote: rules, and the real core."""

from ops.validation.files import validate_files
from ops.validation.fleet import validate_fleet
from ops.validation.report import Options, Report

__all__ = ["Options", "Report", "validate_files", "validate_fleet"]
