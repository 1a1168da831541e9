"""Bring hosts to what the fleet asks for, with pyinfra; the only room that knows pyinfra.

A deploy of one's own may call :func:`xray` among other things, or the three steps one by one.
"""

from ops.servers.rollout.steps import change, compare, look, xray

__all__ = ["change", "compare", "look", "xray"]
