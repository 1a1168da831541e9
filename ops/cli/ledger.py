"""``ops ledger``: check, copy and prune the ledger."""

import getpass
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from ops.cli.asking.options import Format, fleet_option, table_options
from ops.cli.printing import console
from ops.errors import LedgerError, UsageError
from ops.files import must_be_file, sentence
from ops.model.phrases import counted
from ops.reporting.selection import Selection
from ops.reporting.shapes.ledger import host_state

if TYPE_CHECKING:
    from ops.ledger import HostState


_COLUMNS = ("host", "read", "run", "counting since", "known since", "state")


@click.group()
def ledger() -> None:
    """Check, copy and prune the ledger.

    It is state/ledger.db of the fleet, or the database that hosts.toml or OPS_LEDGER names.

    \b
    Example:
      ops ledger status
      ops ledger verify
    """


@ledger.command()
@table_options
@fleet_option
def status(selection: Selection, output: Format) -> None:
    """Show the time of each host's last reading, and the run of its core at that time.

    \b
    Example:
      ops ledger status
    """
    with selection.open_ledger() as opened:
        states = opened.hosts()
        where, zone = opened.store.engine.url.render_as_string(hide_password=True), opened.zone
    if output == "json":
        shown = {"url": where, "zone": zone, "hosts": [host_state(state) for state in states]}
        click.echo(console.as_json(shown))
        return
    if output == "csv":
        click.echo(console.as_csv(_COLUMNS, map(_cells, states)))
    else:
        rows = console.folded(_COLUMNS, map(_short_cells, states), column=len(_COLUMNS) - 1)
        click.echo(f"{where}, days in {zone}\n\n{console.table(_COLUMNS, rows)}")


def _cells(state: "HostState") -> Sequence[str]:
    def at(name: str) -> str:
        when = getattr(state, name)
        return f"{when:%Y-%m-%d %H:%M:%S}" if when else ""

    times = at("counting_since"), at("known_since")
    return [state.name, at("read_at") or "never", state.run[:12], *times, _remark(state)]


def _remark(state: "HostState") -> str:
    """Return the last column: an adoption, or the way in which the host leaves the fleet."""
    if state.waiting is not None:
        return f"{console.size(state.waiting)} wait for adoption"
    if state.decision:
        return f"decided: {state.decision}, at the first reading"
    if state.gone:
        return f"gone {state.gone:%Y-%m-%d}" + ("" if state.done else ", unfinished")
    if state.absent:
        return "absent, can be deleted" if state.done else "absent, readings to fetch"
    return f"adopted: {state.adopted}" if state.adopted else ""


def _short_cells(state: "HostState") -> Sequence[str]:
    """Return cells that fit into 80 columns: times to the minute, the start of the run's name."""
    name, read, run, counting, known, remark = _cells(state)
    return [name, read[:16], run[:8], counting[:16], known[:10], remark]


@ledger.command()
@fleet_option
def verify(selection: Selection) -> None:
    """Check that the sums of counters and of buckets agree to the byte; exit 1 if not.

    \b
    Example:
      ops ledger verify
    """
    with selection.open_ledger() as opened:
        faults = opened.verify()
    if faults:
        raise LedgerError("\n".join(["the ledger does not add up:", *faults]))
    click.echo("The ledger adds up: counters and buckets agree to the byte.")


@ledger.command()
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to this new file (default: stdout).",
)
@fleet_option
def export(selection: Selection, target: Path | None) -> None:
    """Write the whole ledger as lines of JSON, for another database or program.

    The first line has the format, its version and the time zone. Each table begins with a line of
    its name and columns, and each of its rows is a line. The last line has the number of rows.
    Moments are in milliseconds since 1970 in UTC, buckets (t) in seconds. up and down are bytes.

    \b
    Example:
      ops ledger export --output ledger.jsonl
    """
    with selection.open_ledger() as opened:
        if target is None:
            for line in opened.export():
                click.echo(line)
            return
        if not target.parent.is_dir():
            raise UsageError(f"{target.parent}: there is no such folder: make it first")
        if os.path.lexists(target):
            raise UsageError(f"{target} is there already: choose another name")
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise UsageError(f"{target}: {error.strerror}: choose another name") from None
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in opened.export())
        except BaseException as error:
            target.unlink(missing_ok=True)  # half of an export is useless
            if isinstance(error, OSError):
                error.filename = str(target)
            raise


@ledger.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@fleet_option
def import_(selection: Selection, source: Path) -> None:
    """Read an export into an empty ledger. SOURCE is a file, or - for stdin.

    \b
    Example:
      OPS_LEDGER=postgresql+psycopg:///ledger ops ledger import ledger.jsonl
    """
    try:
        if not (is_stdin := str(source) == "-"):
            must_be_file(source)
        file = sys.stdin.buffer if is_stdin else source.open("rb")
    except OSError as error:
        raise UsageError(sentence(error)) from None
    with file, selection.open_ledger(make=True) as opened:
        count = opened.import_(_lines(str(source), file))
    click.echo(f"The ledger has {counted(count, 'row')} now.")


_LONGEST = 1 << 24
"""Bytes of a line; a row has a few hundred."""


def _lines(name: str, file: BinaryIO) -> Iterator[str]:
    """Yield the lines of *file*; raises UsageError for a line that no export has."""
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), 1):
        if len(line) == _LONGEST:
            raise UsageError(f"{name}:{number}: is over 16 MiB: this is no export of a ledger")
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise UsageError(f"{name}:{number}: is not UTF-8: this is no export") from None


@ledger.command()
@click.argument("target", type=click.Path(path_type=Path))
@fleet_option
def backup(selection: Selection, target: Path) -> None:
    """Copy the ledger to the new file TARGET while it is in use (SQLite).

    After a copy is put back, the next rounds book the traffic since then: hosts store the last
    readings of ended runs for 90 days.

    \b
    Example:
      ops ledger backup ledger-2026-11-22.db
    """
    with selection.open_ledger() as opened:
        opened.backup(target)
    click.echo(f"The ledger is copied to {target}.")


@ledger.command()
@fleet_option
def prune(selection: Selection) -> None:
    """Delete five-minute rows, hourly rows and runs past their retention. Totals stay.

    `ops collect` does this too. The retention is set in [ledger] of hosts.toml.

    \b
    Example:
      ops ledger prune
    """
    with selection.open_ledger() as opened:
        gone = opened.prune()
    click.echo(
        f"Deleted {counted(gone.fives, 'five-minute row')} and "
        f"{counted(gone.hours, 'hourly row')}; "
        f"{counted(gone.runs, 'ended run')} summed up."
    )


@ledger.command("rule-out")
@click.argument("host")
@fleet_option
def rule_out(selection: Selection, host: str) -> None:
    """Rule out that anything counted under the name HOST before its first reading.

    Use it for a mistyped host that never existed, after you deleted it from hosts.toml. It also
    ends the reason `before` of a host that was read. The ledger cannot check your statement: it
    stores your name and the time, and `ops usage` prints them.

    \b
    Example:
      ops ledger rule-out frra1
    """
    who = f"{_user()}@{socket.gethostname()}"
    with selection.open_ledger() as opened:
        opened.rule_out(host, who)
    click.echo(f"{who} ruled out that anything counted under {host} before its first reading.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
