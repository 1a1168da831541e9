"""Bring hosts to the set that the fleet wants, with pyinfra.

No other package imports pyinfra. A deploy file of your own may call :func:`xray`, or the three
steps one by one.
"""

from ops.servers.rollout.steps import apply, look, plan, xray

__all__ = ["apply", "look", "plan", "xray"]
