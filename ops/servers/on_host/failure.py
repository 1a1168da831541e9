"""Failures on a host, as sentences for the operator."""

from __future__ import annotations

import errno


class RolloutError(Exception):
    """A failure of a rollout. Its text is a sentence for the operator."""


def sentence(error: BaseException) -> str:
    """Return *error* as a sentence, with a remedy if one is known."""
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, RolloutError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _of_the_system(error: OSError) -> str:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{place}: free some space and run again"
    if error.errno == errno.EROFS:
        return f"the disk can only be read{place}: look at `dmesg`, and mount it for writing"
    return f"{error.strerror or error}{place}"
