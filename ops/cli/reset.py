"""``ops reset``: a mark, from which on a key's usage is counted for people."""

from typing import TYPE_CHECKING

import click

from ops.cli import ledger_access
from ops.cli.options import Format, Selected, fleet_option, json_option
from ops.cli.printing import console
from ops.errors import UsageError
from ops.fleet.inventory import unknown
from ops.model import Traffic
from ops.reporting.traffic import traffic_bytes

if TYPE_CHECKING:
    from ops.ledger import Mark


@click.command()
@click.argument("key")
@json_option
@fleet_option
def reset(selected: Selected, key: str, output: Format) -> None:
    """Reset KEY for people: what it uses from now on is counted from 0. History stays.

    No counter is touched: the ledger remembers what KEY had used until now. What a host that is
    away read before is counted before, too, when it is found. `ops usage --since reset` shows
    what was used since.

    \b
    Example:
      ops reset alice
    """
    mark = _marks(selected, key)[-1]
    if output == "json":
        click.echo(console.as_json(_json(mark)))
        return
    click.echo(
        f"{mark.key} is reset at {mark.at:%Y-%m-%d %H:%M:%S} UTC, after "
        f"{console.size(mark.before.total)} in all; its hosts had been read at "
        f"{mark.counted_from:%Y-%m-%d %H:%M:%S} or later."
    )


def used_until(selected: Selected, key: str) -> Traffic:
    """Reset *key*, and return what it had used since it was reset before, or ever."""
    *before, mark = _marks(selected, key)
    start = before[-1].before if before else Traffic()
    return Traffic(
        mark.before.uplink - start.uplink,
        mark.before.downlink - start.downlink,
    )


def _marks(selected: Selected, key: str) -> list["Mark"]:
    """Reset *key*, of the inventory or the ledger; return the marks of its present life."""
    with ledger_access.opened(selected) as ledger:
        known = ledger_access.known_keys(selected, ledger)
        if key not in known:
            raise UsageError(unknown("key", key, known))
        ledger.mark(key)
        marks = ledger.marks([key])
    return [mark for mark in marks if mark.life == marks[-1].life]


def _json(mark: "Mark") -> dict[str, object]:
    """Return *mark* for programs."""
    return {
        "key": mark.key,
        "at": console.moment(mark.at),
        "counted_from": console.moment(mark.counted_from),
        "before": {"traffic_bytes": traffic_bytes(mark.before)},
        "since": {"traffic_bytes": traffic_bytes(mark.after)},
    }
