"""Read a TOML file, and say on which line of it a thing stands."""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ops.errors import FleetError, Problem
from ops.inventory.spelling import visible

Place = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
LARGEST = 64 * 1024 * 1024
"""Bytes; a larger file is no inventory, and reading it would take the machine's memory."""


@dataclass(frozen=True)
class Document:
    """A TOML file: its data, and where each part of it was written."""

    file: str
    text: str = field(repr=False)
    data: dict[str, Any] = field(repr=False)
    secret: bool = False
    """Whether its values must not be repeated in messages."""

    def problem(
        self, place: Place, message: str, remedy: str = "", value: object = None
    ) -> Problem:
        """Return a problem on the line of *place*; *value* finds the line in a longer list."""
        return Problem(self.file, self.line(place, value), visible(message), visible(remedy))

    def line(self, place: Place, value: object = None) -> int:
        """Return the line, from 1, of the nearest thing written that holds *place*."""
        while place and place not in self._lines:
            place = place[:-1]
        line = self._lines.get(place, 1)
        return self._line_of_value(line, value) if isinstance(value, str) else line

    def _line_of_value(self, start: int, value: str) -> int:
        """Return the line of the quoted *value* within the assignment that begins at *start*."""
        lines = self.text.splitlines()
        for number, text in enumerate(lines[start - 1 :], start):
            if number > start and (_ASSIGNMENT.match(text) or _HEADER.match(text)):
                break
            if f'"{value}"' in text or f"'{value}'" in text:
                return number
        return start

    @cached_property
    def _lines(self) -> dict[Place, int]:
        """Map every table and field to its line. tomllib keeps no positions, so read again."""
        lines: dict[Place, int] = {}
        table: Place = ()
        for number, text in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(text):
                table = _parts(header[2])
                if header[1] == "[[":
                    table = (*table, sum(1 for place in lines if place[:-1] == table))
                lines.setdefault(table, number)
            elif assignment := _ASSIGNMENT.match(text):
                lines.setdefault(table + _parts(assignment[1]), number)
        return lines


def read(path: Path) -> Document:
    """Return the TOML file at *path*; FleetError where it is missing or no TOML."""
    file = shown(path)
    try:
        if path.stat().st_size > LARGEST:
            raise _refused(file, 0, "is over 64 MiB", "an inventory is a text of some kilobytes")
        text = path.read_bytes().decode()
        return Document(file, text, tomllib.loads(text))
    except FileNotFoundError:
        raise _refused(file, 0, "is missing", "`ops init` writes a fleet folder") from None
    except OSError as error:
        raise _refused(file, 0, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _refused(file, line, "is not UTF-8 text", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax(file, text, str(error)) from None
    except RecursionError:
        raise _refused(file, 0, "is nested too deeply") from None


def parse(file: str, text: str, *, secret: bool = False) -> Document:
    """Return *text* as the document called *file*; FleetError where it is no TOML."""
    try:
        return Document(file, text, tomllib.loads(text), secret)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(file, text, str(error)) from None


def shown(path: Path) -> str:
    """Return *path* as people would type it from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _syntax(file: str, text: str, message: str) -> FleetError:
    found = _AT_LINE.search(message)
    line = int(found[1]) if found and found[1] else text.count("\n") + 1
    return _refused(file, line, f"is not TOML: {_AT_LINE.sub('', message).strip()}")


def _refused(file: str, line: int, message: str, remedy: str = "") -> FleetError:
    return FleetError([Problem(file, line, message, remedy)])
