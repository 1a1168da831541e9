"""``ops traffic``: what each key used, live."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

import click

from ops.cli.live_reading import exit_code, read, unread, watch
from ops.cli.options import Format, Selected, selection_options, table_options, timeout_option
from ops.cli.printing import console
from ops.counting.reading import Round
from ops.model import Reading, Traffic
from ops.reporting.traffic import Grouping, Row, rates, rows, sure_bytes, total

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
    missing = unread(selected, answer)
    lines = rows(selected.fleet, answer.readings, by, selected.key_names, missing)
    if output == "json":
        click.echo(console.as_json(_json(by, lines, answer, missing)))
    elif answer.readings and output == "csv":
        click.echo(_csv(by, lines))
    elif answer.readings:
        for line in _heading(answer.readings):
            click.echo(line)
        click.echo(f"\n{_table(by, lines, console.size, _summed(answer, missing))}")
    console.failures(answer.failures)
    raise click.exceptions.Exit(exit_code(answer))


def _refuse_contradictions(
    selected: Selected, all_hosts: bool, every: float | None, output: Format
) -> None:
    if all_hosts and (selected.host_globs or selected.group_globs):
        raise click.UsageError("--all-hosts and --host or --group say different things: use one")
    if every and output != "table":
        raise click.UsageError("--watch shows tables: ask again and again with --json instead")


def _summed(answer: Round, missing: Sequence[str]) -> str:
    """Return what the last line is called: a sum over some hosts must not pass for all."""
    read = len(answer.readings)
    return f"total of {read} of {read + len(missing)} hosts" if missing else "total"


def _heading(readings: Sequence[Reading]) -> Iterator[str]:
    """Say since when the cores count, for these are no totals of a month; and how they were read.

    Where it was by running a program on the host, that costs the host more, and sshd can be told
    to forward sockets instead.
    """
    first = min(readings, key=lambda reading: reading.counting_since)
    last = max(readings, key=lambda reading: reading.counting_since)
    begun = f"{first.counting_since:%Y-%m-%d %H:%M:%S} UTC ({first.host})"
    if last.counting_since != first.counting_since:
        begun = f"between {begun} and {last.counting_since:%Y-%m-%d %H:%M:%S} UTC ({last.host})"
    yield f"Live counters, begun {begun}; a core's restart begins them again: no bill."
    if run := [reading.host for reading in readings if reading.way == "exec"]:
        listed = ", ".join(run[:6]) + (f" and {len(run) - 6} more" if len(run) > 6 else "")
        yield f"Read by the host's own `xray api`, because sshd forwards nothing there: {listed}."


def _table(
    by: Grouping, lines: Sequence[Row], written: Callable[[float], str], called: str = "total"
) -> str:
    body = [[*_names(by, row), *_figures(row, written)] for row in lines]
    last = [called, *[""] * (len(_COLUMNS[by]) - 1), *_amounts(total(lines), written)]
    headings = [*_COLUMNS[by], "up", "down", "total"]
    if all(row.certainty == "exact" for row in lines):
        return console.table(headings, [*body, last], numbers=3)
    sure = [[*cells, row.certainty] for cells, row in zip(body, lines, strict=True)]
    return console.table([*headings, "certainty"], [*sure, [*last, "at least"]], numbers=4)


def _names(by: Grouping, row: Row) -> list[str]:
    names = [str(getattr(row, column)) for column in _COLUMNS[by]]
    if not row.known:
        names[0] += " (removed)"
    return names


def _figures(row: Row, written: Callable[[float], str], unknown: str = "?") -> list[str]:
    return [unknown] * 3 if row.certainty == "unknown" else _amounts(row.traffic, written)


def _amounts(traffic: Traffic, written: Callable[[float], str]) -> list[str]:
    return [written(count) for count in (traffic.uplink, traffic.downlink, traffic.total)]


def _csv(by: Grouping, lines: Sequence[Row]) -> str:
    headings = [*_COLUMNS[by], "uplink_bytes", "downlink_bytes", "total_bytes", "certainty"]
    body = (
        [*(getattr(row, name) for name in _COLUMNS[by]), *_figures(row, str, ""), row.certainty]
        for row in lines
    )
    return console.as_csv(headings, body)


def _json(
    by: Grouping, lines: Sequence[Row], answer: Round, missing: Sequence[str]
) -> dict[str, Any]:
    sure = all(row.certainty == "exact" for row in lines) and not missing
    return {
        "traffic": [
            {name: getattr(row, name) for name in _COLUMNS[by]}
            | {"in_inventory": row.known, **sure_bytes(row)}
            for row in lines
        ],
        "certainty": "exact" if sure else "at least" if answer.readings else "unknown",
        "hosts": [
            {
                "host": reading.host,
                "run": reading.run,
                "read_at": console.moment(reading.read_at),
                "counting_since": console.moment(reading.counting_since),
                "way": reading.way,
            }
            for reading in answer.readings
        ],
        "failures": console.as_failures(answer.failures),
    }


def _rates(
    selected: Selected, by: Grouping, readings: Sequence[Reading], before: Sequence[Reading]
) -> str:
    """Return the table of bytes per second between two rounds, hosts read in both."""
    asked = [host.name for host in (*selected.hosts, *selected.away)]
    lines = rates(selected.fleet, readings, before, by, selected.key_names, asked)
    return _table(by, lines, lambda count: f"{console.size(count)}/s")
