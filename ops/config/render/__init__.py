"""Render the config of a host from the fleet and its secrets.

Rendering is a pure function: the same input gives the same bytes. It uses Jinja and the template
folders, but neither ssh nor pyinfra nor the API.
"""

from ops.config.render.config import render
from ops.config.render.placeholders import placeholders
from ops.config.render.users import User, users

__all__ = ["User", "placeholders", "render", "users"]
