"""What goes wrong on a host, as a sentence."""

from __future__ import annotations

import errno


class RolloutError(Exception):
    """A sentence for whoever rolls out: what failed, and where."""


def told(error: BaseException) -> str:
    """Return *error* as a sentence, with what people can do about it."""
    if isinstance(error, OSError):
        return _told_by_the_system(error)
    if isinstance(error, RolloutError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _told_by_the_system(error: OSError) -> str:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{place}: free some space and run again"
    if error.errno == errno.EROFS:
        return f"the disk can only be read{place}: look at `dmesg`, and mount it for writing"
    return f"{error.strerror or error}{place}"
