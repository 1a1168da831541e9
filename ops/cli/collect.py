"""``ops collect``: from the hosts' counters into the ledger."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Literal

import click

from ops.cli.adopting import begin_adoption, finish_adoption
from ops.cli.options import Format, Selected, host_options, json_option, timeout_option
from ops.cli.printing import console
from ops.counting.collecting import Collected, Roster
from ops.counting.collecting import collect as rounds
from ops.fleet.inventory import find

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Span(click.ParamType):  # type: ignore[type-arg]
    """A length of time: ``30s``, ``5m``, ``1h``, or a number of seconds."""

    name = "span"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the seconds that *value* says."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value))
        if not match or not float(match[1]):
            self.fail(f"{value!r} is no length of time; write 30s, 5m or 1h", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


@click.command()
@click.option("--every", type=Span(), metavar="SPAN", help="Go on for ever, a round each SPAN.")
@click.option(
    "--adopt",
    type=click.Choice(["count", "baseline"]),
    help="The host counted traffic before the ledger knew it. "
    "count: add that traffic. baseline: start from now.",
)
@click.option("--quiet", is_flag=True, help="Print only problems: for timers.")
@timeout_option
@json_option
@host_options
def collect(
    selected: Selected,
    every: float | None,
    adopt: Literal["count", "baseline"] | None,
    quiet: bool,
    timeout: float,
    output: Format,
) -> None:
    """Read every host and book what its keys used: one round, or one each SPAN.

    Run it as often as you like, from as many places: nothing is booked twice, and the next round
    books whatever a round missed. `ops usage` then shows the usage of each key. One line a round;
    with --json one object a line. --adopt decides at once, also while another collector runs.

    \b
    Example:
      ops collect
      ops collect --every 30s
      ops collect --host new1 --adopt baseline
    """
    from ops.ledger.thread import ledger_thread

    roster = Roster(find(selected.folder), selected.host_globs, selected.group_globs)
    teller = _Teller(output, quiet=quiet)
    adoption = begin_adoption(selected, adopt) if adopt else None
    code = 0
    ledger = ledger_thread(roster.now().fleet)
    with closing(rounds(roster, ledger, every=every, deadline=timeout)) as each:
        for outcome in each:
            round_ = outcome
            if adoption:
                round_ = finish_adoption(adoption, outcome, timeout, teller.note)
                adoption = None
            teller.tell(round_)
            code = round_.exit_code
    raise click.exceptions.Exit(code)


class _Teller:
    """Says a line of each round, and what is wrong when it begins to be."""

    def __init__(self, output: Format, *, quiet: bool) -> None:
        self._output = output
        self._quiet = quiet
        self._told: frozenset[str] = frozenset()

    def note(self, line: str) -> None:
        """Say *line* beside the rounds."""
        if not self._quiet:
            click.echo(line, err=self._output == "json")

    def tell(self, round_: Collected) -> None:
        """Say it."""
        wrong = _wrong(round_)
        if self._output == "json":
            if not self._quiet or wrong:
                click.echo(json.dumps(as_dict(round_)))
            return
        if not self._quiet and (round_.asked or not self._told):
            click.echo(_line(round_))
        console.failures(line for line in wrong if line not in self._told)
        if not self._quiet:
            console.failures(note for note in round_.notes if note not in self._told)
        self._told = frozenset([*wrong, *round_.notes])


def _line(round_: Collected) -> str:
    at = f"{datetime.now(UTC):%H:%M:%S}"
    if round_.elsewhere and not round_.asked:
        count = console.counted(round_.elsewhere, "host")
        return f"{at}  another collector reads {count}; nothing to do"
    if round_.ledger_error and not round_.asked:
        return f"{at}  no host was asked, for the ledger is away"
    traffic = (
        f"{console.size(round_.booked.uplink)} up, {console.size(round_.booked.downlink)} down"
    )
    asked = console.counted(round_.asked, "host")
    parts = [f"{len(round_.read)} of {asked} read, {traffic} booked"]
    if round_.elsewhere:
        parts.append(f"{round_.elsewhere} read by other collectors")
    return f"{at}  {'; '.join(parts)} in {round_.seconds:.1f} s"


def _wrong(round_: Collected) -> list[str]:
    ledger = [round_.ledger_error] if round_.ledger_error else []
    return [*ledger, *round_.unadopted, *map(str, round_.failures), *round_.warnings]


def as_dict(round_: Collected) -> dict[str, Any]:
    """Return the round as JSON carries it."""
    return {
        "began": console.moment(round_.began),
        "seconds": round(round_.seconds, 3),
        "asked": round_.asked,
        "elsewhere": round_.elsewhere,
        "read": list(round_.read),
        "failures": console.as_failures(round_.failures),
        "booked": {
            "uplink_bytes": round_.booked.uplink,
            "downlink_bytes": round_.booked.downlink,
        },
        "unadopted": list(round_.unadopted),
        "warnings": list(round_.warnings),
        "notes": list(round_.notes),
        "ledger_error": round_.ledger_error or None,
    }
