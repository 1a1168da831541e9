"""``ops collect``: from the hosts' counters into the ledger."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ops.cli.asking.length import Length
from ops.cli.asking.options import Format, host_options, json_option, timeout_option
from ops.cli.printing import console, exit_codes
from ops.counting.collecting import Collected, Roster
from ops.counting.collecting import collect as rounds
from ops.model.phrases import counted
from ops.reporting.adoption import Adoption, decide, settle
from ops.reporting.selection import Selection
from ops.reporting.shapes.ledger import round_of_collecting

if TYPE_CHECKING:
    from ops.ledger import Adopt

_DECIDED = {"count": "are counted as usage", "baseline": "are left out"}


@click.command()
@click.option(
    "--every", type=Length(), metavar="SPAN", help="Repeat for ever, with one round each SPAN."
)
@click.option(
    "--adopt",
    type=click.Choice(["count", "baseline"]),
    help="The host counted traffic before the ledger knew it. "
    "count: add that traffic. baseline: start from now.",
)
@click.option("--quiet", is_flag=True, help="Print only problems. Use it in cron jobs and timers.")
@timeout_option
@json_option
@host_options
def collect(
    selection: Selection,
    every: float | None,
    adopt: "Adopt | None",
    quiet: bool,
    timeout: float,
    output: Format,
) -> None:
    """Read every host and book the traffic of its keys: one round, or one each SPAN.

    Run it as often as you like, from as many places: nothing is booked twice, and the next round
    books everything that a round missed. `ops usage` then shows the usage of each key. It prints
    one line for each round; with --json the line is an object. --adopt decides at once, also
    while another collector runs: for the hosts that wait, or for those that you name.

    \b
    Example:
      ops collect
      ops collect --every 30s
      ops collect --host new1 --adopt baseline
    """
    from ops.ledger.thread import ledger_thread

    roster = Roster(selection.fleet.folder, selection.host_globs, selection.group_globs)
    printer = _Printer(output, quiet=quiet)
    adoption = _decide(selection, adopt) if adopt else None
    ledger = ledger_thread(roster.targets().fleet)
    code = exit_codes.OK
    with closing(rounds(roster, ledger, every=every, deadline=timeout)) as each:
        for outcome in each:
            round_ = outcome
            if adoption:
                round_ = _settle(selection, adoption, outcome, timeout, printer)
                adoption = None
            printer.print(round_)
            code = exit_codes.of_round(round_)
    raise click.exceptions.Exit(code)


class _Printer:
    """Prints a line for each round, and each problem once, at the round in which it begins."""

    def __init__(self, output: Format, *, quiet: bool) -> None:
        self._output = output
        self._quiet = quiet
        self._printed: frozenset[str] = frozenset()

    def note(self, line: str) -> None:
        """Print *line* between the rounds, on stderr if the rounds are JSON."""
        if not self._quiet:
            click.echo(line, err=self._output == "json")

    def print(self, round_: Collected) -> None:
        """Print *round_*."""
        problems = list(_problems(round_))
        if self._output == "json":
            if not self._quiet or problems:
                click.echo(json.dumps(round_of_collecting(round_)))
            return
        if not self._quiet and (round_.asked or not self._printed):
            click.echo(_line(round_))
        console.failures(line for line in problems if line not in self._printed)
        if not self._quiet:
            console.failures(note for note in round_.notes if note not in self._printed)
        self._printed = frozenset([*problems, *round_.notes])


def _line(round_: Collected) -> str:
    at = f"{datetime.now(UTC):%H:%M:%S}"
    if round_.elsewhere and not round_.asked:
        count = counted(round_.elsewhere, "host")
        return f"{at}  another collector reads {count}; nothing to do"
    if round_.ledger_error and not round_.asked:
        return f"{at}  no host was read, because the ledger cannot be reached"
    traffic = (
        f"{console.size(round_.booked.uplink)} up, {console.size(round_.booked.downlink)} down"
    )
    asked = counted(round_.asked, "host")
    parts = [f"{len(round_.read)} of {asked} read, {traffic} booked"]
    if round_.elsewhere:
        parts.append(f"{round_.elsewhere} read by other collectors")
    return f"{at}  {'; '.join(parts)} in {round_.seconds:.1f} s"


def _problems(round_: Collected) -> Iterator[str]:
    if round_.ledger_error:
        yield round_.ledger_error
    yield from round_.unadopted
    yield from map(str, round_.failures)
    yield from round_.warnings


def _decide(selection: Selection, how: "Adopt") -> Adoption:
    with selection.open_ledger(make=True) as ledger:
        return decide(selection, ledger, how)


def _settle(
    selection: Selection, adoption: Adoption, round_: Collected, seconds: float, printer: _Printer
) -> Collected:
    """Apply the decision to the readings of *round_* and print its effect.

    Returns *round_* with the decisions that are stored for a first reading.
    """
    with selection.open_ledger() as ledger:
        settled = settle(adoption, ledger, seconds)
    for host, used in settled.applied.items():
        amounts = f"{console.size(used.uplink)} up and {console.size(used.downlink)} down"
        printer.note(f"{host}: {amounts} from before the ledger knew it {_DECIDED[settled.how]}")
    if not settled.applied and not settled.stored:
        printer.note("nothing waits for a decision")
    return replace(round_, unadopted=(), notes=(*round_.notes, *map(_waits, settled.stored)))


def _waits(host: str) -> str:
    return f"{host}: it was not read yet; the decision is stored and applied at its first reading"
