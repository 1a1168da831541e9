"""Which hosts must be judged again after a change."""

from collections.abc import Callable, Sequence
from typing import Any

from ops.errors import FleetError
from ops.model import Host
from ops.servers.changes.sides import Side, same_inputs


def changed_since(
    old: Side, new: Side, hosts: Sequence[Host], advance: Callable[[], None] = lambda: None
) -> tuple[Host, ...]:
    """Return those of *hosts* whose judgement may be another: another config, core, or excuse."""
    found = []
    for host in hosts:
        before = old.up(host.name)
        if before is None or _differs(old, before, new, host):
            found.append(host)
        advance()
    return tuple(found)


def _differs(old: Side, before: Host, new: Side, after: Host) -> bool:
    if same_inputs(old, before, new, after):
        return False
    if not old.has_core_of(new) or _judged_by(before) != _judged_by(after):
        return True
    try:
        return old.config(before) != new.config(after)
    except FleetError:  # either side's: what cannot be rendered is for the judge to tell
        return True


def _judged_by(host: Host) -> tuple[Any, ...]:
    """Return what the rules look at besides the config."""
    return host.ignore, host.accounting, host.address
