"""The network cards of hosts in their hoster's months, beside the payload of the keys."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ops.model import Certainty, Host, Traffic
from ops.reporting.ledger_names import host_names
from ops.reporting.selection import Selection
from ops.reporting.spans import month as year_and_month

if TYPE_CHECKING:
    from ops.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The bytes of one host in one month of its hoster.

    The figures of the network cards are *at least*: cards count from their first reading, and a
    reboot drops the bytes since their last reading.
    """

    host: Host
    since: datetime
    until: datetime
    payload: Traffic | None
    """Bytes of the keys; None if the host was never read."""
    received: int | None
    """Bytes that the cards received; None if they were never read."""
    sent: int | None

    @property
    def certainty(self) -> Certainty:
        """Return the certainty of *received*, *sent* and *billed*."""
        return "at least"

    @property
    def billed(self) -> int | None:
        """Return the bytes in the direction that the hoster bills; None if they are unknown."""
        if self.received is None or self.sent is None:
            return None
        directions = {
            "in": self.received,
            "out": self.sent,
            "both": self.received + self.sent,
            "max": max(self.received, self.sent),
        }
        return directions[self.host.billing.direction]

    @property
    def share(self) -> float | None:
        """Return the billed bytes in parts of the included ones; None if either is unknown."""
        included = self.host.billing.included
        return self.billed / included if self.billed is not None and included else None


def bills(selection: Selection, ledger: "Ledger", month: str = "") -> list[Bill]:
    """Return a bill for each selected host of the inventory.

    *month* (``2026-11``, ``this`` or ``last``) is the calendar month in which the hoster's month
    begins. Without it the bills are about the hoster's month that contains today.
    """
    names = host_names(selection, ledger)
    hosts = [host for host in selection.fleet.hosts if names is None or host.name in names]
    return [_bill(ledger, host, month) for host in hosts]


def _bill(ledger: "Ledger", host: Host, month: str) -> Bill:
    from ops.ledger import billing_month

    zone = ZoneInfo(ledger.zone)
    today = datetime.now(UTC).astimezone(zone).date()
    day = _last_day(*year_and_month(month, today)) if month else today
    since, until = billing_month(host.billing.day, day, zone)
    cards = ledger.nic(host.name, since, until)
    used = ledger.usage(since, until, by=(), hosts=[host.name], fleet=[host.name])
    return Bill(
        host=host,
        since=since,
        until=until,
        payload=None if used.certainty == "unknown" else used.total,
        received=cards.received if cards else None,
        sent=cards.sent if cards else None,
    )


def _last_day(year: int, number: int) -> date:
    """Return the last day of a month: it is in the hoster's month that begins in that month."""
    return (date(year, number, 1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
