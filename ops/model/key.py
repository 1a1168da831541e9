"""One person's access."""

from dataclasses import dataclass

GENERATION = "~"
"""Splits a key's name from its generation in the core: ``alice~2`` is alice's second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One person's access. Its name is its email in Xray, and so in the counters."""

    name: str
    opens: frozenset[str] = frozenset({"all"})
    """What it opens: ``all``, a host, a group, or one inbound of those (``edge/ws``)."""
    note: str = ""


def key_of(user: str) -> str:
    """Return the key that a user of the core belongs to.

    >>> key_of("alice~2"), key_of("alice")
    ('alice', 'alice')
    """
    return user.split(GENERATION, 1)[0]
