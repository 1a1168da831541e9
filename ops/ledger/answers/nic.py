"""Bytes of the hosts' network cards by day, for comparison with a hoster's bill."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from ops.ledger.answers.calendar import day_of, moment
from ops.ledger.booking.entries import Entries
from ops.ledger.database.bulk import Row, add_to, raise_to
from ops.ledger.database.rows import HostRow
from ops.ledger.database.schema import hosts, nic_days, nics
from ops.model import NicCounters


@dataclass(frozen=True, slots=True)
class NicUsage:
    """Bytes of a host's network cards; bytes between the last look and a reboot are missing."""

    received: int = 0
    sent: int = 0


_KNOWN = select(nics).where(nics.c.host_id.in_(bindparam("hosts", expanding=True)))


def book(
    tx: Connection, entries: Entries, seen: Iterable[tuple[HostRow, NicCounters | None]], now: int
) -> None:
    """Book the counters of network cards; each boot begins them at 0.

    The first counters of a host are its baseline, because a card counts from its boot on.
    """
    cards = [(host, nic) for host, nic in seen if nic]
    if not cards:
        return
    there = [host.id for host, _ in cards]
    known: dict[int, dict[str, tuple[int, int]]] = {}
    for host_id, boot, received, sent in tx.execute(_KNOWN, {"hosts": there}):
        known.setdefault(host_id, {})[boot] = received, sent
    highs: list[Row] = []
    added: list[Row] = []
    for host, nic in cards:
        boots = known.get(host.id, {})
        base = (nic.received, nic.sent) if not boots else (0, 0)
        received, sent = boots.get(nic.boot, base)
        new = max(received, nic.received), max(sent, nic.sent)
        if new == (received, sent) and boots:
            continue
        highs.append((host.id, nic.boot, *new))
        day = day_of(min(max(moment(nic.read_at), host.read or 0), now) // 1000, entries.zone)
        added.append((day, host.id, new[0] - received, new[1] - sent))
    raise_to(tx, nics, highs)
    add_to(tx, nic_days, added)


def moved(tx: Connection, host: str, since: int, until: int) -> NicUsage | None:
    """Return the bytes of the cards of *host* in the days that begin in [since, until), in seconds.

    None if the cards of *host* were never read.
    """
    known = (
        select(nics.c.boot)
        .join(hosts, hosts.c.id == nics.c.host_id)
        .where(hosts.c.name == host)
        .limit(1)
    )
    if tx.execute(known).first() is None:
        return None
    query = (
        select(func.sum(nic_days.c.received), func.sum(nic_days.c.sent))
        .join(hosts, hosts.c.id == nic_days.c.host_id)
        .where(hosts.c.name == host, nic_days.c.t >= since, nic_days.c.t < until)
    )
    received, sent = tx.execute(query).one()
    return NicUsage(int(received or 0), int(sent or 0))
