"""``ops traffic``: what each key used, live."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import click

from ops.cli import show
from ops.cli.options import Format, Selected, selection_options, table_options, timeout_option
from ops.cli.round import exit_code, read, watch
from ops.model import Reading
from ops.reading import Round
from ops.traffic import Grouping, Row, rates, rows, total, traffic_bytes

_COLUMNS: dict[Grouping, tuple[str, ...]] = {
    "key": ("key",),
    "host": ("host",),
    "both": ("key", "host"),
    "inbound": ("host", "inbound"),
}


@click.command()
@click.option("--all-hosts", is_flag=True, help="Every host: also what no selection means.")
@click.option(
    "--by",
    type=click.Choice(get_args(Grouping)),
    default="key",
    show_default=True,
    help="What a line is about.",
)
@click.option(
    "--watch",
    "every",
    type=click.FloatRange(min=0.2),
    is_flag=False,
    flag_value=2.0,
    metavar="[SECONDS]",
    help="Read again and again, and show rates; Ctrl-C ends it.",
)
@timeout_option
@table_options
@selection_options
def traffic(
    selected: Selected,
    all_hosts: bool,
    by: Grouping,
    every: float | None,
    timeout: float,
    output: Format,
) -> None:
    """Show what each key used since the cores started, read over SSH just now.

    Bytes are payload, exact to the buffer: up is from the client to its target, down is back.
    They live in the cores' memory and begin again at 0 when a core restarts: they are no bill.

    \b
    Example:
      ops traffic --all-hosts
      ops traffic --group edge --key 'al*' --by both --json
      ops traffic --watch
    """
    _refuse_contradictions(selected, all_hosts, every, output)
    if every:
        watch(
            selected,
            every,
            timeout,
            lambda readings, before: _rates(selected, by, readings, before),
        )
    answer = read(selected, timeout)
    if output == "json":
        click.echo(show.as_json(_json(selected, by, answer.readings, answer.failures)))
    elif answer.readings:
        lines = rows(selected.fleet, answer.readings, by, selected.key_names)
        if output == "csv":
            click.echo(_csv(by, lines))
        else:
            table = _table(by, lines, show.size, _summed(answer))
            click.echo(f"{_since(answer.readings)}\n\n{table}")
    show.failures(answer.failures)
    raise click.exceptions.Exit(exit_code(answer))


def _refuse_contradictions(
    selected: Selected, all_hosts: bool, every: float | None, output: Format
) -> None:
    if all_hosts and (selected.host_globs or selected.group_globs):
        raise click.UsageError("--all-hosts and --host or --group say different things: use one")
    if every and output != "table":
        raise click.UsageError("--watch shows tables: ask again and again with --json instead")


def _summed(answer: Round) -> str:
    """Return what the last line is called: a sum over some hosts must not pass for all."""
    read, failed = len(answer.readings), len(answer.failures)
    return f"total of {read} of {read + failed} hosts" if failed else "total"


def _since(readings: Sequence[Reading]) -> str:
    """Say since when the cores count, for these are no totals of a month."""
    first = min(readings, key=lambda reading: reading.counting_since)
    last = max(readings, key=lambda reading: reading.counting_since)
    begun = f"{first.counting_since:%Y-%m-%d %H:%M:%S} UTC ({first.host})"
    if last.counting_since != first.counting_since:
        begun = f"between {begun} and {last.counting_since:%Y-%m-%d %H:%M:%S} UTC ({last.host})"
    return f"Live counters, begun {begun}; a core's restart begins them again: no bill."


def _table(
    by: Grouping, lines: Sequence[Row], written: Callable[[float], str], called: str = "total"
) -> str:
    body = [[*_names(by, row), *_figures(row, written)] for row in lines]
    summed = total(lines)
    last = [called, *[""] * (len(_COLUMNS[by]) - 1)]
    last += [written(summed.uplink), written(summed.downlink), written(summed.total)]
    return show.table([*_COLUMNS[by], "up", "down", "total"], [*body, last], numbers=3)


def _names(by: Grouping, row: Row) -> list[str]:
    names = [str(getattr(row, column)) for column in _COLUMNS[by]]
    if not row.known:
        names[0] += " (removed)"
    return names


def _figures(row: Row, written: Callable[[float], str]) -> list[str]:
    return [
        written(count) for count in (row.traffic.uplink, row.traffic.downlink, row.traffic.total)
    ]


def _csv(by: Grouping, lines: Sequence[Row]) -> str:
    headings = [*_COLUMNS[by], "uplink_bytes", "downlink_bytes", "total_bytes"]
    body = ([*(getattr(row, name) for name in _COLUMNS[by]), *_figures(row, str)] for row in lines)
    return show.as_csv(headings, body)


def _json(
    selected: Selected, by: Grouping, readings: Sequence[Reading], failures: Sequence[Any]
) -> dict[str, Any]:
    spliced = {host.name for host in selected.hosts if host.accounting == "spliced"}
    return {
        "traffic": [
            {name: getattr(row, name) for name in _COLUMNS[by]}
            | {"in_inventory": row.known, "traffic_bytes": traffic_bytes(row.traffic)}
            for row in rows(selected.fleet, readings, by, selected.key_names)
        ],
        "certainty": "at least" if failures or spliced & {r.host for r in readings} else "exact",
        "hosts": [
            {
                "host": reading.host,
                "run": reading.run,
                "read_at": show.moment(reading.read_at),
                "counting_since": show.moment(reading.counting_since),
                "way": reading.way,
            }
            for reading in readings
        ],
        "failures": show.as_failures(failures),
    }


def _rates(
    selected: Selected, by: Grouping, readings: Sequence[Reading], before: Sequence[Reading]
) -> str:
    """Return the table of bytes per second between two rounds, hosts read in both."""
    lines = rates(selected.fleet, readings, before, by, selected.key_names)
    return _table(by, lines, lambda count: f"{show.size(count)}/s")
