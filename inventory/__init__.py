"""The hosts of the fleet in the form that pyinfra reads. Edit the TOML files beside this one."""

from pathlib import Path

from ops.fleet.inventory import pyinfra_groups

# pyinfra takes each list in this module for a group of hosts with the name of the variable.
_groups = pyinfra_groups(Path(__file__).parent.parent)
__all__ = [*_groups]
globals().update(_groups)
