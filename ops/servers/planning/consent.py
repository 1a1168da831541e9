"""The changes that the operator explicitly allows for one rollout."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Changes that a rollout refuses unless the operator allows them."""

    force: bool = False
    """Roll out even if the host has a commit that this checkout lacks."""
    rotate: frozenset[str] = frozenset()
    """Names of keys that may get another secret.

    ``host/inbound`` allows new secrets of an inbound, and ``all`` allows every new secret.
    """
