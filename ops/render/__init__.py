"""Fleet and secrets in, a host's config out: pure, the same input gives the same bytes.

Knows Jinja, and where our templates lie. Knows nothing of ssh, pyinfra or the API.
"""

from ops.render.config import render
from ops.render.frame import User, additions, frame, users
from ops.render.placeholders import placeholders
from ops.render.templates import environment, fill

__all__ = [
    "User",
    "additions",
    "environment",
    "fill",
    "frame",
    "placeholders",
    "render",
    "users",
]
