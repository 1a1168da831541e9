"""Put figures before people and programs: tables, CSV, JSON, sizes, times."""

import csv
import io
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import click

from ops.errors import HostError
from ops.model.visible import visible


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return an aligned table; the last *numbers* columns hold figures and lean right."""
    lines = [list(headings), *(list(map(visible, row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    first_number = len(headings) - numbers

    def aligned(line: Sequence[str]) -> str:
        cells = (
            cell.rjust(width) if column >= first_number else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    heading, *body = map(aligned, lines)
    return "\n".join([click.style(heading, bold=True), *body])


def folded(
    headings: Sequence[str], rows: Iterable[Sequence[str]], column: int, width: int | None = None
) -> list[list[str]]:
    """Return *rows* so that their table is no wider than *width*, or the terminal.

    What is too long in *column* goes on below, between words. Where nobody is looking, nothing is
    folded.

    >>> folded(["key", "opens"], [["bob", "ams1/ws fra1/ws"]], column=1, width=12)
    [['bob', 'ams1/ws'], ['', 'fra1/ws']]
    """
    lines = [list(row) for row in rows]
    if width is None:
        width = shutil.get_terminal_size().columns if is_terminal() else sys.maxsize
    others = [max(map(len, cells)) + 2 for cells in zip(headings, *lines, strict=True)]
    room = max(width - sum(others) + others[column], len(headings[column]))
    found = []
    for line in lines:
        first, *more = textwrap.wrap(
            line[column], room, break_long_words=False, break_on_hyphens=False
        ) or [""]
        found.append([*line[:column], first, *line[column + 1 :]])
        blank = [""] * len(line)
        found += [[*blank[:column], part, *blank[column + 1 :]] for part in more]
    return found


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return *rows* as CSV with a line of *headings*.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().rstrip("\n")


def _cell(value: object) -> object:
    """Return *value* as a cell; no number of ours is written as a text with a sign.

    >>> _cell("=1+1"), _cell("-"), _cell(-5), _cell("alice")
    ("'=1+1", '-', -5, 'alice')
    """
    if not isinstance(value, str):
        return value
    runs = len(value) > 1 and value.startswith(_FORMULA)
    return f"'{visible(value)}" if runs else visible(value)


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
_CODED = re.compile(r"[^\x20-\x7e\n]")


def as_json(value: Any) -> str:
    """Return *value* as JSON that people can read, too; what does not print is escaped."""
    return _CODED.sub(_escaped, json.dumps(value, indent=2, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def counted(count: int, what: str) -> str:
    """Return *count* and its noun.

    >>> counted(1, "host"), counted(2, "key"), counted(0, "host")
    ('1 host', '2 keys', '0 hosts')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def size(count: float) -> str:
    """Return *count* bytes as people read it.

    >>> size(0), size(1023), size(1536), size(3 * 1024**3)
    ('0 B', '1023 B', '1.5 KiB', '3.0 GiB')
    """
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} PiB"


def moment(when: datetime) -> str:
    """Return *when* in RFC 3339, to the second, as JSON carries it."""
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def span(length: timedelta) -> str:
    """Return *length* by its two largest units.

    >>> span(timedelta(seconds=5)), span(timedelta(hours=26, minutes=3))
    ('5s', '1d 2h')
    """
    seconds = int(length.total_seconds())
    parts = [("d", seconds // 86400), ("h", seconds // 3600 % 24)]
    parts += [("m", seconds // 60 % 60), ("s", seconds % 60)]
    while len(parts) > 1 and not parts[0][1]:
        parts.pop(0)
    return " ".join(f"{value}{unit}" for unit, value in parts[:2] if value) or "0s"


def failures(lines: Iterable[object]) -> None:
    """Name on stderr what did not answer, a line each."""
    for line in lines:
        for part in str(line).split("\n"):
            click.echo(click.style(visible(part), fg="red"), err=True)


def as_failures(errors: Iterable[HostError]) -> list[dict[str, str]]:
    """Return what did not answer, and why, as JSON carries it."""
    return [{"host": error.host, "reason": error.reason} for error in errors]


def exit_code(asked: int, failed: int) -> int:
    """Return 0 if every host answered, 3 if some did not, 4 if none did, or none was asked."""
    if not asked:
        failures(["no host was asked: each selected host is in maintenance or absent"])
        return 4
    if not failed:
        return 0
    return 3 if failed < asked else 4


def is_terminal() -> bool:
    """Return whether a person is looking."""
    return sys.stderr.isatty() and sys.stdout.isatty()


@contextmanager
def progress(what: str, count: int) -> Iterator[Callable[[], None]]:
    """Give a function to call for each of *count* things done; people see how far it is."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=count)
        yield lambda: bar.advance(task)
