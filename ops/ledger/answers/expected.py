"""The inventory as the caller of a question knows it; it may be newer than the ledger's."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The inventory as it is now. A host that the ledger does not know counts as never read."""

    fleet: Collection[str] = ()
    """Hosts with a core that may count."""
    absent: Collection[str] = ()
    """Hosts that the inventory wants without a core."""
    spliced: Collection[str] = ()
    """Hosts that splice: a connection is counted only at its end."""

    def names(self, host: Any) -> bool:
        """Say whether *host*, a row of ``hosts``, may count according to this inventory."""
        finished = host.absent and host.done is not None
        back = host.gone is not None and host.name in self.absent and not finished
        return back or host.name in self.fleet


NOTHING = Expected()


def may_count(host: Any) -> bool:
    """Say whether a core may still count on *host*, a row of ``hosts``."""
    return host.gone is None and not (host.absent and host.done is not None)
