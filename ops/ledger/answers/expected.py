"""The inventory as a question tells it, beside what the ledger was told of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The inventory as it is now, whatever the ledger was told last.

    A host of it that the ledger was never told of was never read.
    """

    fleet: Collection[str] = ()
    """Hosts that may count."""
    absent: Collection[str] = ()
    """Hosts that are to be without a core."""
    spliced: Collection[str] = ()
    """Hosts on which an open connection counts only when it closes."""

    def names(self, host: Any) -> bool:
        """Say whether *host*, a row of ``hosts``, may count by the inventory, told or not."""
        finished = host.absent and host.done is not None
        back = host.gone is not None and host.name in self.absent and not finished
        return back or host.name in self.fleet


NOTHING = Expected()


def may_count(host: Any) -> bool:
    """Say whether a core may still count on *host*, a row of ``hosts``."""
    return host.gone is None and not (host.absent and host.done is not None)
