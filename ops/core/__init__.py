"""The core's releases: kept here by SHA-256, and handed out only when the sum is right."""

from ops.core.cache import ARCHIVES, archive, cached, keep
from ops.core.pin import pin

__all__ = ["ARCHIVES", "archive", "cached", "keep", "pin"]
