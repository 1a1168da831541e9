"""Compare a host with what the fleet asks of it, and say what would bring it there.

Knows neither pyinfra nor ssh: a rollout carries plans out, `ops diff` only shows them.
"""
