"""The certainty of each row of an answer."""

from collections.abc import Iterator, Sequence

from ops.ledger.answers.calendar import when
from ops.ledger.answers.missing import EVERY, Missing, certainty
from ops.ledger.answers.question import Asked
from ops.ledger.answers.spans import Span
from ops.ledger.booking.access import Reach
from ops.ledger.booking.lateness import Late
from ops.model import Certainty, Traffic


def concerns(missing: Missing, hosts: Reach) -> bool:
    """Say whether *missing* affects figures that depend on *hosts* (None: all)."""
    return missing.host == EVERY or hosts is None or missing.host in hosts


def late_times(asked: Asked, late: Late) -> Iterator[Missing]:
    """Yield the times in which the late bytes of an answer moved."""
    for host, since, until in sorted(late.times):
        name = asked.names[host]
        yield Missing(host=name, kind="late", since=when(since), until=when(until))


class Sureness:
    """The certainty of the rows of one answer, computed once for each span and set of hosts."""

    def __init__(
        self,
        asked: Asked,
        parts: Sequence[Span],
        known: Sequence[Missing],
        late: Late,
        created: int,
    ) -> None:
        """*created* is the second at which the ledger began."""
        self._asked = asked
        self._created = created
        self._parts = parts
        self._known = known
        self._late = late
        self._shaken = self._places(late)
        self._found: dict[tuple[int, Reach, bool], Certainty] = {}

    def _places(self, late: Late) -> set[tuple[int, str, str]]:
        """Return (span, key, host) of the rows that lack late bytes; names may be empty."""
        asked = self._asked
        return {
            (index, asked.key_name(place[0]), asked.names.get(place[1], ""))
            for index, key, host in late.shaken
            for place in [asked.place(key, host)]
        }

    def of(self, index: int, key: str, host: str, used: Traffic) -> Certainty:
        """Return the certainty of the figure *used* of a row; *key* and *host* may be empty."""
        hosts: Reach = frozenset({host}) if host else self._asked.reach(key) if key else None
        sure = self._of_hosts(index, hosts, by_host=bool(host))
        before = self._parts[index].until <= self._created
        shaken = before or (index, key, host) in self._shaken
        lacks = (sure == "exact" and shaken) or (sure == "unknown" and self._is_known(index, used))
        return "at least" if lacks else sure

    def _is_known(self, index: int, used: Traffic) -> bool:
        """Say whether *used* was read outside of times that an old ledger noted as unread."""
        part = self._parts[index]
        vague = (m for m in self._known if m.kind == "unread")
        return used.total > 0 and all(m.effect(part.begin, part.end) == "exact" for m in vague)

    def of_total(self, used: Traffic) -> Certainty:
        """Return the certainty of the sum of all rows, *used*."""
        begin, end = self._parts[0].begin, self._parts[-1].end
        asked = self._asked
        narrowed = asked.question.hosts is not None
        known = [one for one in self._known if narrowed or one.kind != "shared"]
        sure = certainty(known, begin, end, asked.everyone)
        read = used.total > 0 and all(one.kind != "unread" for one in known)
        lacks = (sure == "exact" and self._late.cut) or (sure == "unknown" and read)
        return "at least" if lacks else sure

    def _of_hosts(self, index: int, hosts: Reach, *, by_host: bool) -> Certainty:
        place = index, hosts, by_host
        if place not in self._found:
            narrowed = by_host or self._asked.question.hosts is not None
            about = [
                one
                for one in self._known
                if concerns(one, hosts) and (narrowed or one.kind != "shared")
            ]
            part = self._parts[index]
            concerned = self._asked.everyone if hosts is None else hosts
            self._found[place] = certainty(about, part.begin, part.end, concerned)
        return self._found[place]
