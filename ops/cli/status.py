"""``ops status``: one line and an exit code for a monitoring system."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ops.cli import books, period, show
from ops.cli.options import Selected, host_options
from ops.errors import LedgerError

if TYPE_CHECKING:
    from ops.ledger import Ledger

_FINE, _BEHIND, _UNKNOWN = 0, 1, 3
_AHEAD = timedelta(minutes=5)
_NAMED = 5
"""Hosts that the line names; of more it says how many."""


@click.command()
@click.option("--max-age", default="10m", show_default=True, metavar="SPAN", help="Read when.")
@host_options
def status(selected: Selected, max_age: str) -> None:
    """Say in one line whether usage is being collected: exit 0 fine, 1 behind, 3 unknown.

    Behind: a host that is up was not read for longer than --max-age. The line ends with how many
    of this month's figures can only be at least, and why.

    \b
    Example:
      ops status --max-age 10m
    """
    limit = period.span(max_age)
    try:
        with books.opened(selected) as ledger:
            code, line = _state(selected, ledger, limit)
    except LedgerError as error:
        code, line = _UNKNOWN, f"UNKNOWN: {error}"
    click.echo(line)
    raise click.exceptions.Exit(code)


def _state(selected: Selected, ledger: "Ledger", limit: timedelta) -> tuple[int, str]:
    read = {state.name: state.read_at for state in ledger.hosts()}
    now = datetime.now(UTC)
    names = [host.name for host in selected.hosts]
    newest = max((at for at in map(read.get, names) if at), default=None)
    if newest is None:
        return _UNKNOWN, f"UNKNOWN: none of {len(names)} hosts was ever read"
    if newest - now > _AHEAD:
        return _BEHIND, (
            f"BEHIND: the clock here is {show.span(newest - now)} behind the ledger's: what is "
            "read now is booked at the ledger's time until the clock has caught up"
        )
    old = [name for name in names if not (at := read.get(name)) or now - at > limit]
    age = show.span(max(now - newest, timedelta()))
    shaky = _shaky(ledger, now)
    if not old:
        return _FINE, f"OK: {len(names)} hosts read, the last {age} ago; {shaky}"
    return _BEHIND, (
        f"BEHIND: {len(old)} of {len(names)} hosts not read for {show.span(limit)}: "
        f"{_named(old)}; the last that was, {age} ago; {shaky}"
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _shaky(ledger: "Ledger", now: datetime) -> str:
    """Say what makes figures of this month less than exact."""
    from ops.ledger import month

    zone = ZoneInfo(ledger.zone)
    today = now.astimezone(zone).date()
    begin, end = month(today.year, today.month, zone)
    known = ledger.missing(begin, end)
    found = [one for one in known if one.effect(begin, end) != "exact"]
    if not found:
        return "all figures of this month are exact"
    kinds = Counter(one.kind for one in found)
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    hosts = len({one.host for one in found})
    return f"figures of {hosts} hosts are at least this month ({counted})"
