"""Fleet and secrets in, a host's config out: pure, the same input gives the same bytes.

Knows Jinja, and where our templates lie. Knows nothing of ssh, pyinfra or the API.
"""

from ops.config.render.config import render
from ops.config.render.placeholders import placeholders
from ops.config.render.templates import environment, fill
from ops.config.render.users import User, users

__all__ = ["User", "environment", "fill", "placeholders", "render", "users"]
