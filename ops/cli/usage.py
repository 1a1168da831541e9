"""``ops usage``: what was used, and how sure that is."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import click

from ops.cli import ledger_access, nic, period
from ops.cli.options import Format, Selected, selection_options, table_options
from ops.cli.printing import usage_table

if TYPE_CHECKING:
    from ops.ledger import Ledger, Narrowed


@click.command()
@click.option("--since", metavar="TIME", help="From when: 2026-11-01, 2026-11-01T12:00, 2d, reset.")
@click.option("--until", metavar="TIME", help="Until when, exclusive; now, if it is not said.")
@click.option("--month", metavar="MONTH", help="A calendar month: 2026-11, this or last.")
@click.option(
    "--by",
    type=click.Choice(["key", "host", "hour", "day", "month"]),
    multiple=True,
    default=["key"],
    show_default=True,
    help="What a line is about; may be given more than once.",
)
@click.option("--zone", metavar="ZONE", help="In whose days: Asia/Tokyo; else the ledger's.")
@click.option("--nic", "cards", is_flag=True, help="With --by host: the hoster's month and bytes.")
@click.option("--require-exact", is_flag=True, help="Exit with 3 where a figure is not exact.")
@table_options
@selection_options
def usage(
    selected: Selected,
    since: str | None,
    until: str | None,
    month: str | None,
    by: tuple[Literal["key", "host", "hour", "day", "month"], ...],
    zone: str | None,
    cards: bool,
    require_exact: bool,
    output: Format,
) -> None:
    """Show usage from the ledger, by default of this month and by key.

    Each figure is exact, at least or unknown; the reasons are printed below the table. A byte
    belongs to the moment of its reading. Bytes that were read over five minutes late have rows
    of their own in tables by hour, day or month. Another --zone works for the last 90 days only,
    while hourly figures are kept.

    \b
    Example:
      ops usage --month last
      ops usage --by day --key alice --since 7d
      ops usage --by host --nic
      ops usage --since reset
    """
    _refuse_contradictions(since, until, month, by, zone, cards)
    with ledger_access.opened(selected) as ledger:
        if cards:
            nic.show_cards(selected, ledger, month, output)
            return
        narrowed = _narrowed(selected, ledger, zone or "")
        if since == "reset":
            answer = ledger.usage_since_marks(**narrowed)
        else:
            begin, end = _period(period.zone(zone or ledger.zone), since, until, month)
            answer = ledger.usage(begin, end, by=by, **narrowed)
        usage_table.show_usage(selected, answer, by, output)
    sure = {answer.certainty, *(row.certainty for row in answer.rows)}
    if require_exact and sure != {"exact"}:
        raise click.exceptions.Exit(3)


def _refuse_contradictions(
    since: str | None,
    until: str | None,
    month: str | None,
    by: tuple[str, ...],
    zone: str | None,
    cards: bool,
) -> None:
    if month and (since or until):
        raise click.UsageError("--month and --since or --until say different things: use one")
    if cards and (by not in (("host",), ("key",)) or zone or since or until):
        raise click.UsageError("--nic goes with --by host and --month: months are the hoster's")
    if since == "reset" and (by != ("key",) or until):
        raise click.UsageError("--since reset is by key, and until now")


def _period(
    zone: ZoneInfo, since: str | None, until: str | None, month: str | None
) -> tuple[datetime, datetime]:
    from ops.ledger import month as month_in

    now = datetime.now(UTC)
    this = month_in(*period.month(month or "this", now.astimezone(zone).date()), zone)
    if not (since or until):
        return this
    begin = period.moment(since, zone, now) if since else this[0]
    return begin, period.moment(until, zone, now) if until else now


def _narrowed(selected: Selected, ledger: "Ledger", zone: str) -> "Narrowed":
    fleet = selected.fleet
    return {
        "zone": zone,
        "keys": ledger_access.key_names(selected, ledger),
        "hosts": ledger_access.host_names(selected, ledger),
        "spliced": {host.name for host in fleet.hosts if host.accounting == "spliced"},
        "opens": fleet.opened_hosts(),
        "fleet": [host.name for host in fleet.hosts if host.state != "absent"],
        "absent": [host.name for host in fleet.hosts if host.state == "absent"],
    }
