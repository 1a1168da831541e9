"""Text for people and programs: tables, CSV, JSON, sizes, progress, lines on stderr."""

import csv
import io
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from ops.model.visible import visible


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return an aligned table; the last *numbers* columns are figures, aligned to the right."""
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
    """Return *rows* with their *column* wrapped, so that the table fits into *width* characters.

    The default width is that of the terminal; in a pipe nothing is wrapped. A wrapped cell
    continues in rows of its own.

    >>> folded(["key", "opens"], [["bob", "ams1/ws fra1/ws"]], column=1, width=12)
    [['bob', 'ams1/ws'], ['', 'fra1/ws']]
    """
    lines = [list(row) for row in rows]
    if width is None:
        width = shutil.get_terminal_size().columns if is_terminal() else sys.maxsize
    others = [max(map(len, cells)) + 2 for cells in zip(headings, *lines, strict=True)]
    room = max(width - sum(others) + others[column], len(headings[column]))
    wrapped = []
    for line in lines:
        first, *more = textwrap.wrap(
            line[column], room, break_long_words=False, break_on_hyphens=False
        ) or [""]
        wrapped.append([*line[:column], first, *line[column + 1 :]])
        blank = [""] * len(line)
        wrapped += [[*blank[:column], part, *blank[column + 1 :]] for part in more]
    return wrapped


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return *rows* as CSV below a line of *headings*.

    A text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().rstrip("\n")


def _cell(value: object) -> object:
    """Return *value* as a cell; numbers stay numbers, so a sign in front of one is harmless.

    >>> _cell("=1+1"), _cell("-"), _cell(-5), _cell("alice")
    ("'=1+1", '-', -5, 'alice')
    """
    if not isinstance(value, str):
        return value
    runs = len(value) > 1 and value.startswith(_FORMULA)
    return f"'{visible(value)}" if runs else visible(value)


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of a formula in a spreadsheet."""
_CODED = re.compile(r"[^\x20-\x7e\n]")


def as_json(value: Any) -> str:
    """Return *value* as indented JSON; characters that do not print are escaped."""
    return _CODED.sub(_escaped, json.dumps(value, indent=2, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def size(count: float) -> str:
    """Return *count* bytes with a unit.

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


def failures(lines: Iterable[object]) -> None:
    """Print *lines* to stderr in red."""
    for line in lines:
        for part in str(line).split("\n"):
            click.echo(click.style(visible(part), fg="red"), err=True)


def notes(lines: Iterable[str]) -> None:
    """Print *lines* to stderr."""
    for line in lines:
        click.echo(line, err=True)


def is_terminal() -> bool:
    """Return whether stdout and stderr are both a terminal."""
    return sys.stderr.isatty() and sys.stdout.isatty()


@contextmanager
def progress(what: str, count: int) -> Iterator[Callable[[], None]]:
    """Show progress on a terminal; the value is a function to call after each of *count* steps."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=count)
        yield lambda: bar.advance(task)
