"""The core's releases: kept here by SHA-256, and handed out only when the sum is right.

And the core itself, to test configs with: nothing else knows all that it refuses.
"""

from ops.core.cache import ARCHIVES, archive, cached, keep
from ops.core.chosen import Chosen, choose
from ops.core.pin import pin
from ops.core.trial import Bench, Verdict, bench

__all__ = [
    "ARCHIVES",
    "Bench",
    "Chosen",
    "Verdict",
    "archive",
    "bench",
    "cached",
    "choose",
    "keep",
    "pin",
]
