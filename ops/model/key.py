"""One person's access."""

from dataclasses import dataclass

GENERATION = "~"
"""The sign between a key's name and its generation in the core: ``alice~2`` is the second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One person's access. The name is the email in Xray and in the names of counters."""

    name: str
    opens: frozenset[str] = frozenset({"all"})
    """``all``, hosts, groups, and single inbounds of these (``edge/ws``)."""
    note: str = ""


def key_of(user: str) -> str:
    """Return the name of the key to which a *user* of the core belongs.

    >>> key_of("alice~2"), key_of("alice")
    ('alice', 'alice')
    """
    return user.split(GENERATION, 1)[0]
