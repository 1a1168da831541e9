"""``ops compare``: every figure that a host has of the same bytes, side by side."""

from collections.abc import Iterator
from typing import Any

import click

from ops.cli.collect import Span
from ops.cli.options import Format, Selected, json_option, selection_options, timeout_option
from ops.cli.printing import console
from ops.model import Fleet, Traffic
from ops.reporting.comparing import EXPECTED, METHOD, Comparison, Figures
from ops.reporting.comparing import compare as compared
from ops.reporting.traffic import mb, traffic_bytes


@click.command()
@click.option(
    "--over",
    type=Span(),
    metavar="SPAN",
    help="Only what moves in SPAN from now: one span for all.",
)
@timeout_option
@json_option
@selection_options
def compare(selected: Selected, over: float | None, timeout: float, output: Format) -> None:
    """Show exact counters beside inbounds, network card and an estimate, per host and key.

    The exact figures are the users' own counters since the core began. The estimate is what
    people had before: open connections (or the access log's) times that host's mean bytes a
    connection. Where the API is down it still answers, and is what it is: a guess.

    \b
    Example:
      ops compare
      ops compare --host fra1 --key alice --over 30s --json
    """
    found = compared(selected.fleet, selected.hosts, deadline=timeout, over=over)
    if output == "json":
        click.echo(console.as_json(_json(selected, found)))
    elif found.hosts:
        click.echo(_table(selected, found))
        for name, relation in EXPECTED.items():
            click.echo(f"{name.replace('_', ' ')}: {relation}")
    console.failures(found.failures)
    console.failures(
        f"{f.host}: {text}" for f in found.hosts for text in (f.error, f.trouble) if text
    )
    unknown = len(found.failures) + sum(figures.reading is None for figures in found.hosts)
    raise click.exceptions.Exit(console.exit_code(len(found.hosts) + len(found.failures), unknown))


def keys_of(selected: Selected, figures: Figures) -> list[str]:
    """Return the keys to show of a host: those that open it, and others that it counts."""
    opening = _opening(selected.fleet, figures.host)
    names = [*opening, *sorted(figures.users.keys() - set(opening))]
    chosen = selected.key_names
    return [name for name in names if chosen is None or name in chosen]


def _opening(fleet: Fleet, name: str) -> list[str]:
    return [key.name for key in fleet.keys_opening(fleet.host(name))]


def _table(selected: Selected, found: Comparison) -> str:
    rows = [row for figures in found.hosts for row in _rows(selected, figures)]
    headings = ["host", "key", "exact", "inbounds", "network card", "estimate"]
    return console.table(headings, rows, numbers=4) + "\n"


def _rows(selected: Selected, figures: Figures) -> Iterator[list[str]]:
    exact = figures.exact
    card = figures.card.received + figures.card.sent if figures.card else None
    inbounds = figures.inbounds.total if figures.inbounds else None
    guess = figures.estimate.total if figures.estimate else None
    beside = [_beside(figure, exact) for figure in (inbounds, card, guess)]
    yield [figures.host, "", console.size(exact.total) if exact else "unknown", *beside]
    count = len(_opening(selected.fleet, figures.host))
    for key in keys_of(selected, figures):
        used = figures.users.get(key, Traffic()) if figures.reading else None
        guess = figures.estimate.of(key, count) if figures.estimate else None
        shown = console.size(used.total) if used else "unknown"
        yield ["", key, shown, "", "", _beside(guess, used)]


def _beside(figure: int | None, exact: Traffic | None) -> str:
    if figure is None:
        return "unknown"
    percent = difference(figure, exact)
    return console.size(figure) + (f" {percent:+.1f}%" if percent is not None else "")


def difference(figure: int, exact: Traffic | None) -> float | None:
    """Return by how many percent *figure* is off the exact one; None where there is none.

    >>> difference(110, Traffic(40, 60))
    10.0
    """
    if exact is None or not exact.total:
        return None
    return round((figure / exact.total - 1) * 100, 2)


def _json(selected: Selected, found: Comparison) -> dict[str, Any]:
    return {
        "hosts": [_host_json(selected, figures) for figures in found.hosts],
        "failures": console.as_failures(found.failures),
        "expected": EXPECTED,
    }


def _host_json(selected: Selected, figures: Figures) -> dict[str, Any]:
    reading, card, exact = figures.reading, figures.card, figures.exact
    count = len(_opening(selected.fleet, figures.host))
    inbounds = (
        {name: traffic_bytes(used) for name, used in sorted(reading.inbounds.items())}
        if reading
        else {}
    )
    guess = figures.estimate
    return {
        "host": figures.host,
        **_three(figures, exact, guess.total if guess else None),
        "counting_since": console.moment(reading.counting_since) if reading else None,
        "inbounds": inbounds,
        "inbounds_difference_percent": difference(figures.inbounds.total, exact)
        if figures.inbounds
        else None,
        "network_card": {
            "received_bytes": card.received,
            "sent_bytes": card.sent,
            "difference_percent": difference(card.received + card.sent, exact),
        }
        if card
        else None,
        "keys": [
            {"key": key}
            | _three(
                figures,
                figures.users.get(key, Traffic()) if reading else None,
                guess.of(key, count) if guess else None,
            )
            for key in keys_of(selected, figures)
        ],
    }


def _three(figures: Figures, exact: Traffic | None, guess: int | None) -> dict[str, Any]:
    """Return the fields of the contract: exact, estimate, and whether the API answered."""
    of = figures.estimate
    return {
        "api_available": figures.reading is not None,
        "exact": {
            "total_mb": mb(exact.total) if exact else None,
            "uplink_bytes": exact.uplink if exact else None,
            "downlink_bytes": exact.downlink if exact else None,
            "error": figures.error or None,
        },
        "estimate": {
            "total_mb": None if guess is None else mb(guess),
            "calculation_method": METHOD,
            "basis": of.basis if of else None,
            "connections": of.connections if of else None,
            "difference_percent": difference(guess, exact) if guess is not None else None,
        },
    }
