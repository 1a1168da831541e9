"""``ops usage --by host --nic``: the network cards in the hoster's own months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ops.cli import ledger_access, period
from ops.cli.options import Format, Selected
from ops.cli.printing import console
from ops.model import Host, Traffic

if TYPE_CHECKING:
    from ops.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    """One host in its hoster's month."""

    host: Host
    since: datetime
    until: datetime
    payload: Traffic
    received: int | None
    """None where the cards were never read."""
    sent: int | None

    @property
    def billed(self) -> int | None:
        """Return the bytes that the hoster counts."""
        if self.received is None or self.sent is None:
            return None
        ways = {
            "in": self.received,
            "out": self.sent,
            "both": self.received + self.sent,
            "max": max(self.received, self.sent),
        }
        return ways[self.host.billing.direction]


def show_cards(selected: Selected, ledger: "Ledger", month: str | None, output: Format) -> None:
    """Print each host's payload beside what its cards moved, in its hoster's month.

    *month*: the one that begins in that calendar month; else the one that is running.
    """
    names = ledger_access.host_names(selected, ledger)
    hosts = [host for host in selected.fleet.hosts if names is None or host.name in names]
    cards = [_card(ledger, host, month) for host in hosts]
    if output == "json":
        click.echo(console.as_json([_json(card) for card in cards]))
        return
    headings = ("host", "from", "until", "payload", "received", "sent", "billed", "included", "")
    if output == "csv":
        rows = [[_plain(value) for value in _values(card)] for card in cards]
        click.echo(console.as_csv(("host", "since", "until", *_FIELDS), rows))
    else:
        click.echo(console.table(headings, [_cells(card) for card in cards], numbers=6))
        click.echo(
            "\nCards count since they were first read, and a reboot drops what came after the "
            "last look: at least."
        )


_FIELDS = ("payload_bytes", "received_bytes", "sent_bytes", "billed_bytes", "included_bytes")


def _card(ledger: "Ledger", host: Host, month: str | None) -> _Card:
    from ops.ledger import billing_month

    zone = ZoneInfo(ledger.zone)
    today = datetime.now(UTC).astimezone(zone).date()
    day = today
    if month:
        year, number = period.month(month, today)
        # The last of the month is in the hoster's month that begins in it, whatever its day.
        day = today.replace(year=year, month=number, day=28)
        while (day_after := day.fromordinal(day.toordinal() + 1)).month == number:
            day = day_after
    since, until = billing_month(host.billing.day, day, zone)
    payload = ledger.usage(since, until, by=(), hosts=[host.name]).total
    moved = ledger.nic(host.name, since, until)
    received, sent = (moved.received, moved.sent) if moved else (None, None)
    return _Card(host=host, since=since, until=until, payload=payload, received=received, sent=sent)


def _values(card: _Card) -> Sequence[object]:
    included = card.host.billing.included
    times = card.since.isoformat(), card.until.isoformat()
    amounts = card.payload.total, card.received, card.sent, card.billed, included
    return [card.host.name, *times, *amounts]


def _plain(value: object) -> object:
    return "" if value is None else value


def _cells(card: _Card) -> list[str]:
    billed, included = card.billed, card.host.billing.included
    share = f"{billed / included:.1%}" if billed is not None and included else ""
    amounts = (card.payload.total, card.received, card.sent, billed, included)
    cells = ["?" if amount is None else console.size(amount) for amount in amounts]
    if included is None:
        cells[-1] = "-"
    if billed is not None:
        cells[3] = f"{cells[3]} {card.host.billing.direction}"
    return [card.host.name, f"{card.since:%Y-%m-%d}", f"{card.until:%Y-%m-%d}", *cells, share]


def _json(card: _Card) -> dict[str, object]:
    fields = dict(zip(_FIELDS, _values(card)[3:], strict=True))
    since, until = card.since.astimezone(UTC), card.until.astimezone(UTC)
    times = {"since": console.moment(since), "until": console.moment(until)}
    terms = {"direction": card.host.billing.direction, "certainty": "at least"}
    return {"host": card.host.name, **times, **fields, **terms}
