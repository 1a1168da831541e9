"""Find the hosts that must be validated again after a change."""

from collections.abc import Callable, Sequence
from typing import Any

from ops.errors import FleetError
from ops.model import Host
from ops.servers.changes.sides import Side, same_inputs


def changed_since(
    old: Side, new: Side, hosts: Sequence[Host], advance: Callable[[], None] = lambda: None
) -> tuple[Host, ...]:
    """Return those of *hosts* with another config, core or list of ignored rules.

    *advance* is called after each host.
    """
    changed = []
    for host in hosts:
        before = old.up(host.name)
        if before is None or _differs(old, before, new, host):
            changed.append(host)
        advance()
    return tuple(changed)


def _differs(old: Side, before: Host, new: Side, after: Host) -> bool:
    if same_inputs(old, before, new, after):
        return False
    if not old.has_core_of(new) or _rule_inputs(before) != _rule_inputs(after):
        return True
    try:
        return old.config(before) != new.config(after)
    except FleetError:  # a host that cannot be rendered must be validated, too
        return True


def _rule_inputs(host: Host) -> tuple[Any, ...]:
    """Return the inputs of the lint rules other than the config."""
    return host.ignore, host.accounting, host.address
