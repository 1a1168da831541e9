"""Warn about uncommitted work that a rollout applies or replaces."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.model.phrases import listed
from ops.servers.on_host.state import HostState
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.history import is_committed

MOST = 5
"""The number of files to name. The rest appears as a count."""


def provenance(state: HostState, checkout: Checkout) -> Iterator[str]:
    """Yield a warning about uncommitted work on the host, and one about this folder."""
    record = state.record
    theirs = checkout.clean or record.get("who") != checkout.who
    if theirs and _is_uncommitted(record, checkout):
        files = _named([str(file) for file in record.get("uncommitted", [])])
        yield (
            f"the host has uncommitted work of {record.get('who')}, rolled out "
            f"at {record.get('when')}{files}: ask before this replaces it"
        )
    if checkout.uncommitted:
        yield (
            f"this includes uncommitted changes of this folder{_named(checkout.uncommitted)}: "
            "commit them, or the next rollout from another folder undoes them"
        )


def _is_uncommitted(record: Mapping[str, Any], checkout: Checkout) -> bool:
    """Return whether *record* names uncommitted work that is in no commit here."""
    from_git = record.get("commit") or record.get("uncommitted")
    if not from_git or record.get("clean", True):
        return False
    return not is_committed(checkout.folder, checkout.commit, record)


def is_recorded_uncommitted(state: HostState, checkout: Checkout) -> bool:
    """Return whether the host has a rollout of uncommitted work that is committed here now.

    The record needs the commit, because only a commit protects a host from older checkouts.
    """
    return checkout.clean and not state.record.get("clean", True)


def _named(files: Sequence[str]) -> str:
    return f" ({listed(files, MOST)})" if files else ""
