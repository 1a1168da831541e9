"""The core's releases: kept here by SHA-256, and handed out only when the sum is right.

And the core itself, to test configs with (:mod:`ops.config.core.chosen`, :mod:`ops.config.core.trial`): nothing
else knows all that it refuses. A rollout wants the first half alone, so that is what is said here.
"""

from ops.config.core.cache import ARCHIVES, archive, cached, keep

__all__ = ["ARCHIVES", "archive", "cached", "keep"]
