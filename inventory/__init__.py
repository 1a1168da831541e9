"""The fleet in pyinfra's shapes. What people edit are the TOML files beside this one."""

from pathlib import Path

from ops.fleet.inventory import pyinfra_groups

# pyinfra takes every list here for a group of hosts, named as the variable is.
_groups = pyinfra_groups(Path(__file__).parent.parent)
__all__ = [*_groups]
globals().update(_groups)
