"""``ops ledger``: look after the ledger itself."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from ops.cli import ledger_access
from ops.cli.options import Format, Selected, fleet_option, table_options
from ops.cli.printing import console
from ops.errors import LedgerError, UsageError
from ops.files import must_be_file, sentence

if TYPE_CHECKING:
    from ops.ledger import HostState


_COLUMNS = ("host", "read", "run", "counting since", "known since", "state")


@click.group()
def ledger() -> None:
    """Look after the ledger: state/ledger.db of the fleet, or what hosts.toml or OPS_LEDGER names.

    \b
    Example:
      ops ledger status
      ops ledger verify
    """


@ledger.command()
@table_options
@fleet_option
def status(selected: Selected, output: Format) -> None:
    """Show when each host was last read, and which run of the core it was in then.

    \b
    Example:
      ops ledger status
    """
    with ledger_access.opened(selected) as opened:
        states = opened.hosts()
        where, zone = opened.store.engine.url.render_as_string(hide_password=True), opened.zone
    if output == "json":
        shown = {"url": where, "zone": zone, "hosts": [_json(state) for state in states]}
        click.echo(console.as_json(shown))
        return
    if output == "csv":
        click.echo(console.as_csv(_COLUMNS, map(_cells, states)))
    else:
        rows = console.folded(_COLUMNS, map(_short_cells, states), column=len(_COLUMNS) - 1)
        click.echo(f"{where}, days in {zone}\n\n{console.table(_COLUMNS, rows)}")


def _json(state: "HostState") -> dict[str, object]:
    times = {
        name: console.moment(at) if at else None
        for name in ("known_since", "read_at", "counting_since", "gone", "done")
        for at in [getattr(state, name)]
    }
    decided = {
        "adopted": state.adopted,
        "decision": state.decision or None,
        "waiting_bytes": state.waiting,
    }
    return {"host": state.name, "run": state.run, **decided, "absent": state.absent, **times}


def _cells(state: "HostState") -> Sequence[str]:
    def at(name: str) -> str:
        when = getattr(state, name)
        return f"{when:%Y-%m-%d %H:%M:%S}" if when else ""

    times = at("counting_since"), at("known_since")
    return [state.name, at("read_at") or "never", state.run[:12], *times, _told(state)]


def _told(state: "HostState") -> str:
    """Say in a few words what there is to know of a host besides."""
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
    """Return what fits into 80 columns: times to the minute, what people compare of a run."""
    name, read, run, counting, known, told = _cells(state)
    return [name, read[:16], run[:8], counting[:16], known[:10], told]


@ledger.command()
@fleet_option
def verify(selected: Selected) -> None:
    """Prove that all adds up: counters and buckets, to the byte; exit 1 where it does not.

    \b
    Example:
      ops ledger verify
    """
    with ledger_access.opened(selected) as opened:
        faults = opened.verify()
    if faults:
        raise LedgerError("\n".join(["the ledger does not add up:", *faults]))
    click.echo("The ledger adds up: what the runs counted is what is booked, in every bucket.")


@ledger.command()
@click.option(
    "--output", "target", type=click.Path(path_type=Path), help="A new file; else stdout."
)
@fleet_option
def export(selected: Selected, target: Path | None) -> None:
    """Write the whole ledger as lines of JSON, for another database or program.

    The first line names the format, its version and the time zone. Each table begins with its
    name and columns, and a line is a row; the last line counts them. Moments are milliseconds,
    buckets (t) seconds since 1970 in UTC; up and down are bytes.

    \b
    Example:
      ops ledger export --output ledger.jsonl
    """
    with ledger_access.opened(selected) as opened:
        if target is None:
            for line in opened.export():
                click.echo(line)
            return
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise UsageError(f"{target}: {error.strerror}: choose another name") from None
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in opened.export())
        except BaseException as error:
            target.unlink(missing_ok=True)  # half of an export is none
            if isinstance(error, OSError):
                error.filename = str(target)
            raise


@ledger.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@fleet_option
def import_(selected: Selected, source: Path) -> None:
    """Read an export into a ledger that is empty yet; SOURCE is a file, or - for stdin.

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
    with file, ledger_access.opened(selected, make=True) as opened:
        count = opened.import_(_lines(str(source), file))
    click.echo(f"The ledger has {console.counted(count, 'row')} now.")


_LONGEST = 1 << 24
"""Bytes of a line; a row has some hundreds."""


def _lines(name: str, file: BinaryIO) -> Iterator[str]:
    """Yield the lines of *file*; UsageError for one that no export has."""
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
def backup(selected: Selected, target: Path) -> None:
    """Copy the ledger to the new file TARGET while it is in use (SQLite).

    A ledger that is put back from a copy catches up by itself: hosts keep the last readings of
    ended runs for 90 days.

    \b
    Example:
      ops ledger backup ledger-2026-11-22.db
    """
    with ledger_access.opened(selected) as opened:
        opened.backup(target)
    click.echo(f"The ledger is copied to {target}.")


@ledger.command()
@fleet_option
def prune(selected: Selected) -> None:
    """Let go of 5 minutes, hours and runs older than they are kept; totals never change.

    `ops collect` does it by itself; [ledger] in hosts.toml says how long they are kept.

    \b
    Example:
      ops ledger prune
    """
    with ledger_access.opened(selected) as opened:
        gone = opened.prune()
    click.echo(
        f"Deleted {console.counted(gone.fives, 'five-minute row')} and "
        f"{console.counted(gone.hours, 'hourly row')}; "
        f"{console.counted(gone.runs, 'ended run')} summed up."
    )
