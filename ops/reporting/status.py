"""The state of collecting: whether the ledger has recent readings of every host."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from ops.model.phrases import counted, duration, listed
from ops.reporting.leaving import deletable, unfinished
from ops.reporting.selection import Selection

if TYPE_CHECKING:
    from ops.ledger import HostState, Ledger

_AHEAD = timedelta(minutes=5)
"""The clock of this machine may be this far behind the newest reading."""
_MOST = 5
"""Hosts that a sentence names."""
MAX_AGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of collecting: a verdict, the problems behind it, and other facts."""

    verdict: Literal["OK", "BEHIND", "UNKNOWN"]
    problems: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Return everything in one line."""
        return f"{self.verdict}: {'; '.join([*self.problems, *self.facts])}"


def status(selection: Selection, ledger: "Ledger", max_age: timedelta = MAX_AGE) -> Status:
    """Return whether each selected host was read within *max_age*.

    BEHIND: a host was not, waits for a decision about adoption, or is absent with readings that
    were not fetched. UNKNOWN: no host was ever read.
    """
    states = {state.name: state for state in ledger.hosts()}
    now = datetime.now(UTC)
    names = [host.name for host in selection.hosts]
    read = {name: states[name].read_at for name in names if name in states}
    newest = max((at for at in read.values() if at), default=None)
    hosts = counted(len(names), "host")
    if newest is None and names:
        return Status(verdict="UNKNOWN", problems=(f"none of {hosts} was ever read",))
    if newest and newest - now > _AHEAD:
        return Status(verdict="BEHIND", problems=(_slow_clock(newest - now),))
    leaving = [host.name for host in selection.hosts_even_absent if host.state == "absent"]
    problems = (
        *_old(read, names, now, max_age),
        *_undecided(states, names),
        *_unfetched(states, leaving),
    )
    age = f"the last {duration(max(now - newest, timedelta()))} ago" if newest else "none is up"
    facts = (*_deletable(states, leaving), _certainty_of_month(selection, ledger, now))
    if problems:
        return Status(verdict="BEHIND", problems=problems, facts=(age, *facts))
    return Status(verdict="OK", facts=(f"{hosts} read, {age}", *facts))


def _slow_clock(behind: timedelta) -> str:
    return (
        f"the clock here is {duration(behind)} behind the ledger's: what is read now is booked at "
        "the ledger's time until the clock has caught up"
    )


def _old(
    read: Mapping[str, datetime | None], names: Sequence[str], now: datetime, max_age: timedelta
) -> Iterator[str]:
    """Yield a sentence about hosts never read, and one about hosts not read for *max_age*."""
    hosts = counted(len(names), "host")
    never = [name for name in names if read.get(name) is None]
    if never:
        yield f"{len(never)} of {hosts} never read: {listed(never, _MOST)}"
    old = {name: now - at for name, at in read.items() if at and now - at > max_age}
    if old:
        named = [f"{name} ({duration(age)})" for name, age in old.items()]
        over = f"{len(old)} of {hosts} not read for over {duration(max_age)}"
        yield f"{over}: {listed(named, _MOST)}"


def _undecided(states: Mapping[str, "HostState"], names: Sequence[str]) -> Iterator[str]:
    waiting = [name for name in names if name in states and states[name].waiting is not None]
    if waiting:
        yield f"counters of {listed(waiting, _MOST)} wait for `ops collect --adopt`"


def _unfetched(states: Mapping[str, "HostState"], leaving: Sequence[str]) -> Iterator[str]:
    if names := unfinished(states, leaving):
        yield f"readings of absent hosts were not fetched yet: {listed(names, _MOST)}"


def _deletable(states: Mapping[str, "HostState"], leaving: Sequence[str]) -> Iterator[str]:
    if names := deletable(states, leaving):
        yield f"{listed(names, _MOST)} can be deleted from hosts.toml"


def _certainty_of_month(selection: Selection, ledger: "Ledger", now: datetime) -> str:
    """Return a sentence with the reasons why figures of this month are less than exact."""
    from ops.ledger import month

    zone = ZoneInfo(ledger.zone)
    today = now.astimezone(zone).date()
    begin, end = month(today.year, today.month, zone)
    fleet = [host.name for host in selection.fleet.hosts if host.state != "absent"]
    absent = [host.name for host in selection.fleet.hosts if host.state == "absent"]
    known = ledger.missing(begin, end, fleet=fleet, absent=absent)
    reasons = [one for one in known if one.effect(begin, end) != "exact"]
    if not reasons:
        return "all figures of this month are exact"
    kinds = Counter(one.kind for one in reasons)
    numbers = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    hosts = counted(len({one.host for one in reasons}), "host")
    return f"figures of {hosts} are at least this month ({numbers})"
