"""Cache the releases of the core by SHA-256, and test configs with the core.

The cache returns an archive only if its SHA-256 is right. :mod:`ops.config.core.trial` runs the
core on a config, because only the core knows every fault that it refuses.
"""

from ops.config.core.cache import ARCHIVES, archive, cached, keep

__all__ = ["ARCHIVES", "archive", "cached", "keep"]
