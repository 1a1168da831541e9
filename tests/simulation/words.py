"""The words of events: which machine, which key, how many bytes."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.chance import DAY, KEYS, MINUTE, SECOND, Chance
from tests.simulation.machine import OURS, Machine
from tests.simulation.machine_events import VALUES
from tests.simulation.questions import FIVE, HOUR, Question

BYS: tuple[tuple[str, ...], ...] = (
    ("key",),
    ("host",),
    ("key", "host"),
    ("day",),
    ("key", "day"),
    ("host", "month"),
    ("hour",),
)
SPANS = ("life", "month", "last month", "future", "before", "day", "cut", "cut", "cut")
DAMAGES = ("{", "[]", '{"run": 1}', "null", "0", '{"run":"x","kind":"last","read_at":"soon"}')
Choice = Callable[["Chance"], tuple[Any, ...] | None]


def _traffic(c: Chance) -> tuple[Any, ...] | None:
    address = c.machine(running=True)
    if address is None:
        return None
    machine = c.simulation.world.machines[address]
    users = sorted(machine.users | machine.lingering)
    if not users:
        return None
    return address, c.random.choice(users), c.amount(), c.amount()


def _at(*more: Callable[[Chance], Any]) -> Choice:
    """Return what chooses a machine, and more."""

    def chosen(c: Chance) -> tuple[Any, ...] | None:
        address = c.machine()
        return None if address is None else (address, *(one(c) for one in more))

    return chosen


def _named(*more: Callable[[Chance], Any]) -> Choice:
    def chosen(c: Chance) -> tuple[Any, ...] | None:
        name = c.host()
        return None if name is None else (name, *(one(c) for one in more))

    return chosen


def _keyed(*more: Callable[[Chance], Any]) -> Choice:
    def chosen(c: Chance) -> tuple[Any, ...] | None:
        name = c.key()
        return None if name is None else (name, *(one(c) for one in more))

    return chosen


def _ledger(*more: Callable[[Chance], Any]) -> Choice:
    return lambda c: (c.ledger(), *(one(c) for one in more))


def _tail(c: Chance) -> int:
    return c.amount() if c.random.random() < 0.5 else 0


def _down(c: Chance) -> int:
    pauses = (0, 2500, 2500, 20 * SECOND, 3 * MINUTE, 30 * MINUTE, 2 * DAY)
    return c.random.choice(pauses)


def _fault(c: Chance) -> tuple[Any, ...] | None:
    """Break a part of a machine, or heal what is broken."""
    address = c.machine()
    if address is None:
        return None
    machine: Machine = c.simulation.world.machines[address]
    fine = {"net": True, "heard": True, "hung": False, "readable": True}
    broken = [part for part, state in fine.items() if getattr(machine, part) != state]
    part = c.random.choice(broken or list(fine))
    return address, part, fine[part] if broken else not fine[part]


def _host(c: Chance) -> tuple[Any, ...] | None:
    name = c.new_host()
    if name is None:
        return None
    free = _free(c)
    address = c.random.choice(free) if free and c.random.random() < 0.5 else c.address()
    return name, address, "rolled" if c.random.random() < 0.6 else ""


def _alias(c: Chance) -> tuple[Any, ...] | None:
    """One server under two names."""
    name, there = c.new_host(), sorted(c.simulation.world.machines)
    return (name, c.random.choice(there), "") if name and there else None


def _moved(c: Chance) -> tuple[Any, ...] | None:
    """A name goes to another server, which may be a used one."""
    name, free = c.host(), _free(c)
    return (name, c.random.choice(free)) if name and free else None


def _free(c: Chance) -> list[int]:
    """Return the addresses that no host of the inventory has."""
    world = c.simulation.world
    return sorted(world.machines.keys() - {h.address for h in world.inventory.hosts.values()})


def _rename(c: Chance) -> tuple[Any, ...] | None:
    old, new = c.host(), c.new_host()
    return None if old is None or new is None else (old, new)


def _used(c: Chance) -> tuple[Any, ...]:
    fleet = c.random.choice(("", "", "another-fleet", OURS))
    return c.address(), fleet, tuple(key for key in KEYS if c.random.random() < 0.7)


def _question(c: Chance) -> tuple[Any, ...]:
    hosts = {name for books in [c.simulation.ledger(0)] for name in books.told.known}
    some = c.random.random() < 0.2 and hosts
    span = c.random.choice(SPANS)
    question = Question(
        by=c.random.choice(BYS) if span != "life" else c.random.choice(BYS[:3]),  # type: ignore[arg-type]
        span=_cut(c) if span == "cut" else span,
        hosts=(c.random.choice(sorted(hosts)),) if some else (),
        keys=(key,) if c.random.random() < 0.2 and (key := c.key()) else (),
        zone="Asia/Kathmandu" if c.random.random() < 0.1 else "",
    )
    return c.ledger(), question


def _cut(c: Chance) -> str:
    """Return a span with edges near moments at which something happened."""
    edges = [*c.cuts, c.simulation.time.now]
    grain = c.random.choice((FIVE, FIVE, HOUR, DAY))
    begin, end = sorted(c.random.choice(edges) // grain * grain for _ in range(2))
    return f"{begin} {end + grain}"


def _agreed(c: Chance) -> tuple[Any, ...]:
    span = c.random.choice(("life", "month", "last month"))
    return c.ledger(), Question(span=span)


def _mark(c: Chance) -> tuple[Any, ...] | None:
    key = c.key()
    return None if key is None else (c.ledger(), key)


def _adopt(c: Chance) -> tuple[Any, ...] | None:
    name = c.host()
    return None if name is None else (c.ledger(), name, c.random.choice(("count", "baseline")))


def _skew(c: Chance) -> int:
    return c.random.choice((0, -1, 1)) * c.random.choice((90 * SECOND, HOUR, 3 * DAY, 400 * DAY))


WORDS: Mapping[str, Choice] = {
    "traffic": _traffic,
    **{kind: _at(_tail, _down) for kind in ("stop", "crash", "reboot", "power")},
    "start": _at(),
    "fault": _fault,
    "reset": _at(),
    "clock": _at(_skew),
    "damage": _at(
        lambda c: c.random.choice(("last", "minute", "begun")),
        lambda c: c.random.choice(DAMAGES + VALUES),
    ),
    "rebuild": _at(),
    "used": _used,
    "host": _host,
    "absent": _named(lambda c: c.random.random() < 0.8),
    "move": _moved,
    "alias": _alias,
    "maintain": _named(lambda c: c.random.randint(0, 3)),
    "delete": _named(),
    "rename": _rename,
    "key": lambda c: (c.random.choice(KEYS), c.opens()),
    "unkey": _keyed(),
    "rotate": _keyed(),
    "roll out": _named(lambda c: c.random.random() < 0.3),
    "roll out all": lambda c: None,
    "collect": _ledger(),
    "settle": _ledger(),
    "burst": _ledger(lambda c: c.random.randint(2, 4)),
    "die": _ledger(lambda c: c.random.randint(0, 4), lambda c: c.random.random() < 0.5),
    "serve": _ledger(lambda c: c.random.random() < 0.6),
    "away": _ledger(),
    "late": _ledger(),
    "thaw": _ledger(),
    "adopt": _adopt,
    "back up": _ledger(),
    "restore": _ledger(),
    "mark": _mark,
    "clock here": lambda c: (_skew(c),),
    "ask": _question,
    "agree": _agreed,
    "since reset": _ledger(),
    "status": _ledger(),
    "verify": _ledger(),
    "second": lambda c: None,
}
