"""The table and the CSV of network cards in the hoster's months."""

from collections.abc import Sequence

from ops.cli.printing import console
from ops.reporting.billing import Bill

_HEADINGS = ("host", "from", "until", "payload", "received", "sent", "billed", "included", "")
_FIELDS = (
    *("host", "since", "until"),
    *("payload_bytes", "received_bytes", "sent_bytes", "billed_bytes", "included_bytes"),
)
_NOTE = """
The bytes of a network card are at least: cards count from their first reading, and a reboot
drops the bytes since their last reading."""


def text(bills: Sequence[Bill]) -> str:
    """Return the table of *bills*, and a note on its certainty."""
    return f"{console.table(_HEADINGS, map(_cells, bills), numbers=6)}\n{_NOTE}"


def csv(bills: Sequence[Bill]) -> str:
    """Return *bills* as CSV; unknown amounts are empty."""
    rows = (
        [bill.host.name, bill.since.isoformat(), bill.until.isoformat(), *_plain(bill)]
        for bill in bills
    )
    return console.as_csv(_FIELDS, rows)


def _amounts(bill: Bill) -> list[int | None]:
    included = bill.host.billing.included
    payload = None if bill.payload is None else bill.payload.total
    return [payload, bill.received, bill.sent, bill.billed, included]


def _plain(bill: Bill) -> list[int | str]:
    return ["" if amount is None else amount for amount in _amounts(bill)]


def _cells(bill: Bill) -> list[str]:
    cells = ["?" if amount is None else console.size(amount) for amount in _amounts(bill)]
    if bill.host.billing.included is None:
        cells[-1] = "-"
    if bill.billed is not None:
        cells[3] += f" {bill.host.billing.direction}"
    share = "" if bill.share is None else f"{bill.share:.1%}"
    return [bill.host.name, f"{bill.since:%Y-%m-%d}", f"{bill.until:%Y-%m-%d}", *cells, share]
