"""Resets for people: marks from which the usage of a key is counted anew."""

from typing import TYPE_CHECKING

from ops.errors import UnknownNameError
from ops.model import Traffic
from ops.reporting.ledger_names import known_keys
from ops.reporting.selection import Selection

if TYPE_CHECKING:
    from ops.ledger import Ledger, Mark


def reset(selection: Selection, ledger: "Ledger", key: str) -> "Mark":
    """Reset *key* now and return its mark; the usage before the mark stays in the ledger.

    Raises UsageError if neither the inventory nor the ledger has the key.
    """
    return _reset(selection, ledger, key)[-1]


def used_until_reset(selection: Selection, ledger: "Ledger", key: str) -> Traffic:
    """Reset *key* now, and return its usage since its previous reset, or since it began.

    Raises UsageError if neither the inventory nor the ledger has the key.
    """
    *earlier, mark = _reset(selection, ledger, key)
    return mark.before - (earlier[-1].before if earlier else Traffic())


def _reset(selection: Selection, ledger: "Ledger", key: str) -> list["Mark"]:
    """Reset *key* and return the marks of its present life, oldest first."""
    known = known_keys(selection, ledger)
    if key not in known:
        raise UnknownNameError("key", key, known)
    ledger.mark(key)
    marks = ledger.marks([key])
    return [mark for mark in marks if mark.life == marks[-1].life]
