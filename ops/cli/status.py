"""``ops status``: one line and an exit code for a monitoring system."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ops.cli import ledger_access, period
from ops.cli.options import Selected, host_options
from ops.cli.printing import console
from ops.errors import LedgerError

if TYPE_CHECKING:
    from ops.ledger import HostState, Ledger

_FINE, _BEHIND, _UNKNOWN = 0, 1, 3
_AHEAD = timedelta(minutes=5)
_NAMED = 5
"""Hosts that the line names; of more it says how many."""


@click.command()
@click.option(
    "--max-age",
    default="10m",
    show_default=True,
    metavar="SPAN",
    help="Report BEHIND if a host was last read longer ago than this.",
)
@host_options
def status(selected: Selected, max_age: str) -> None:
    """Say in one line whether usage is being collected: exit 0 fine, 1 behind, 3 unknown.

    BEHIND: a host was not read for longer than --max-age, waits for a decision
    (`ops collect --adopt`), or is absent with readings that were not fetched. The line ends with
    the reasons why figures of this month are only at least.

    \b
    Example:
      ops status --max-age 10m
    """
    limit = period.span(max_age)
    try:
        with ledger_access.opened(selected) as ledger:
            code, line = _state(selected, ledger, limit)
    except LedgerError as error:
        code, line = _UNKNOWN, f"UNKNOWN: {error}"
    click.echo(line)
    raise click.exceptions.Exit(code)


def _state(selected: Selected, ledger: "Ledger", limit: timedelta) -> tuple[int, str]:
    states = {state.name: state for state in ledger.hosts()}
    now = datetime.now(UTC)
    names = [host.name for host in selected.hosts]
    read = {name: states[name].read_at for name in names if name in states}
    newest = max((at for at in read.values() if at), default=None)
    if newest is None and names:
        return _UNKNOWN, f"UNKNOWN: none of {console.counted(len(names), 'host')} was ever read"
    if newest and newest - now > _AHEAD:
        return _BEHIND, (
            f"BEHIND: the clock here is {console.span(newest - now)} behind the ledger's: what is "
            "read now is booked at the ledger's time until the clock has caught up"
        )
    leaving = [host.name for host in selected.hosts_even_absent if host.state == "absent"]
    wrong = [*_old(read, names, now, limit), *_undecided(states, names), *_left(states, leaving)]
    age = f"the last {console.span(max(now - newest, timedelta()))} ago" if newest else "none is up"
    rest = "; ".join([age, *_deletable(states, leaving), _shaky(selected, ledger, now)])
    if not wrong:
        return _FINE, f"OK: {console.counted(len(names), 'host')} read, {rest}"
    return _BEHIND, f"BEHIND: {'; '.join(wrong)}; {rest}"


def _old(
    read: Mapping[str, datetime | None], names: Sequence[str], now: datetime, limit: timedelta
) -> Iterator[str]:
    """Say which hosts were not read for longer than *limit*, and for how long."""
    never = [name for name in names if read.get(name) is None]
    if never:
        yield f"{len(never)} of {console.counted(len(names), 'host')} never read: {_named(never)}"
    ages = {name: now - at for name, at in read.items() if at and now - at > limit}
    if ages:
        told = [f"{name} ({console.span(age)})" for name, age in ages.items()]
        which = f"{len(ages)} of {console.counted(len(names), 'host')}"
        yield f"{which} not read for over {console.span(limit)}: {_named(told)}"


def _undecided(states: Mapping[str, "HostState"], names: Sequence[str]) -> Iterator[str]:
    """Say of which hosts counters wait for a decision."""
    waiting = [name for name in names if name in states and states[name].waiting is not None]
    if waiting:
        yield f"counters of {_named(waiting)} wait for `ops collect --adopt`"


def _left(states: Mapping[str, "HostState"], leaving: Sequence[str]) -> Iterator[str]:
    """Say of which absent hosts readings may be left to fetch."""
    unfinished = [name for name in leaving if name not in states or states[name].done is None]
    if unfinished:
        yield f"readings of absent hosts were not fetched yet: {_named(unfinished)}"


def _deletable(states: Mapping[str, "HostState"], leaving: Sequence[str]) -> Iterator[str]:
    done = [name for name in leaving if name in states and states[name].done is not None]
    if done:
        yield f"{_named(done)} can be deleted from hosts.toml"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _shaky(selected: Selected, ledger: "Ledger", now: datetime) -> str:
    """Say what makes figures of this month less than exact."""
    from ops.ledger import month

    zone = ZoneInfo(ledger.zone)
    today = now.astimezone(zone).date()
    begin, end = month(today.year, today.month, zone)
    fleet = [host.name for host in selected.fleet.hosts if host.state != "absent"]
    absent = [host.name for host in selected.fleet.hosts if host.state == "absent"]
    known = ledger.missing(begin, end, fleet=fleet, absent=absent)
    found = [one for one in known if one.effect(begin, end) != "exact"]
    if not found:
        return "all figures of this month are exact"
    kinds = Counter(one.kind for one in found)
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    hosts = len({one.host for one in found})
    return f"figures of {console.counted(hosts, 'host')} are at least this month ({counted})"
