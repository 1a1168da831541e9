"""``ops stats``: counters as lines that scripts read."""

import click

from ops.cli.live_reading import exit_code, read, unread
from ops.cli.options import (
    Format,
    Selected,
    host_options,
    json_option,
    selection_options,
    timeout_option,
)
from ops.cli.printing import console
from ops.fleet import selection
from ops.model import Traffic
from ops.reporting.traffic import rows, sure_bytes, total, traffic_bytes


@click.group()
def stats() -> None:
    """Print counters in the fixed form that scripts read.

    \b
    Example:
      ops stats users
      ops stats user alice
    """


@stats.command()
@timeout_option
@json_option
@selection_options
def users(selected: Selected, timeout: float, output: Format) -> None:
    """Print a line a key: NAME uplink=BYTES downlink=BYTES, summed over the hosts.

    A key that never connected has 0. A host that did not answer is named on stderr (exit 3); keys
    that are on such hosts only have no line, and null in JSON.

    \b
    Example:
      ops stats users --group edge
    """
    answer = read(selected, timeout)
    missing = unread(selected, answer)
    found = rows(selected.fleet, answer.readings, "key", selected.key_names, missing)
    lines = sorted(found, key=lambda row: row.key)
    if output == "json":
        click.echo(console.as_json([{"key": row.key, **sure_bytes(row)} for row in lines]))
    else:
        for row in lines:
            if row.certainty != "unknown":
                up, down = row.traffic.uplink, row.traffic.downlink
                click.echo(f"{row.key} uplink={up} downlink={down}")
    console.failures(answer.failures)
    raise click.exceptions.Exit(exit_code(answer))


@stats.command()
@click.argument("name")
@click.option("--reset", "resets", is_flag=True, help="Mark the key in the ledger; reads no host.")
@click.option("--partial", is_flag=True, help="Print the sum over the hosts that answered.")
@timeout_option
@json_option
@host_options
def user(
    selected: Selected, name: str, resets: bool, partial: bool, timeout: float, output: Format
) -> None:
    """Print uplink:BYTES and downlink:BYTES of the key NAME, summed over the hosts.

    Where a host did not answer, or is in maintenance, the sum is unknown. Nothing is printed on
    stdout then, and the exit code is 3. --partial prints the sum of the other hosts. --reset is
    `ops reset NAME`, and prints what the ledger counted since the last reset.

    \b
    Example:
      ops stats user alice
      ops stats user alice --reset
    """
    if resets:
        _reset(selected, name, output)
        return
    key = selection.key(selected.fleet, name)
    answer = read(selected, timeout)
    console.failures(answer.failures)
    missing = unread(selected, answer)
    if answer.readings and (partial or not missing):
        _show(key.name, total(rows(selected.fleet, answer.readings, "key", [key.name])), output)
    raise click.exceptions.Exit(exit_code(answer) or (3 if missing and not partial else 0))


def _reset(selected: Selected, name: str, output: Format) -> None:
    """Mark *name*, and print what it used since it was marked before, or ever."""
    from ops.cli.reset import used_until

    _show(name, used_until(selected, name), output)


def _show(name: str, used: Traffic, output: Format) -> None:
    if output == "json":
        click.echo(console.as_json({"key": name, "traffic_bytes": traffic_bytes(used)}))
    else:
        click.echo(f"uplink:{used.uplink}\ndownlink:{used.downlink}")
