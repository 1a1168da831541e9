"""What goes wrong on a host, as a sentence."""

from __future__ import annotations

import errno


class RolloutError(Exception):
    """A sentence for whoever rolls out: what failed, and where."""


def told(error: BaseException) -> str:
    """Return *error* as a sentence; a full disk is named, for it is what people can mend."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        place = f" ({error.filename})" if error.filename else ""
        return f"the disk is full{place}: free some space and run again"
    if isinstance(error, (RolloutError, OSError)):
        return str(error)
    return f"{type(error).__name__}: {error}"
