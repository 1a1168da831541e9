"""The releases of the core, cached by SHA-256, and the core itself as a judge of configs.

The cache gives an archive only if its sum is right. :mod:`ops.config.core.trial` runs the core on
a config, because nothing else knows all that it refuses.
"""

from ops.config.core.cache import ARCHIVES, archive, cached, keep

__all__ = ["ARCHIVES", "archive", "cached", "keep"]
