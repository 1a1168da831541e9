"""Compare a host with the set that the fleet wants on it, and plan the change.

This package imports neither pyinfra nor asyncssh. A rollout carries plans out; `ops diff` only
shows them.
"""
