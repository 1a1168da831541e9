"""Say whose work is rolled out, and over whose work, where git does not tell."""

from collections.abc import Iterable, Iterator

from ops.servers.on_host.state import HostState
from ops.servers.planning.checkout import Checkout

MOST = 5
"""Files that are named; more are a number."""


def provenance(state: HostState, here: Checkout) -> Iterator[str]:
    """Yield what people must know of uncommitted work, on the host and in this folder."""
    record = state.record
    theirs = record.get("commit") and not record.get("clean", True)
    if theirs and (here.clean or record.get("who") != here.who):
        files = _named([str(file) for file in record.get("uncommitted", [])])
        yield (
            f"what the host has came from uncommitted work of {record.get('who')} at "
            f"{record.get('when')}{files}: ask before this takes it back"
        )
    if here.uncommitted:
        yield (
            f"uncommitted changes of this folder go with it{_named(here.uncommitted)}: commit "
            "them, or the next rollout from another folder takes them back"
        )


def unrecorded(state: HostState, here: Checkout) -> bool:
    """Return whether what the host has was rolled out uncommitted, and is committed here now.

    Only its commit protects it from an older checkout.
    """
    return here.clean and not state.record.get("clean", True)


def _named(files: Iterable[str]) -> str:
    """Return *files* in brackets.

    >>> _named(["a", "b", "c", "d", "e", "f", "g"])
    ' (a, b, c, d, e and 2 more)'
    """
    names = list(files)
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f" ({', '.join(names[:MOST])}{more})" if names else ""
