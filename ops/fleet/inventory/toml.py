"""Read a TOML file, and find the line of each table and field in it."""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ops import files
from ops.errors import FleetError, Problem
from ops.files import shown_path
from ops.model.visible import LONGEST_MESSAGE, visible

Location = tuple[str | int, ...]
"""The path of a value in a file: ``("hosts", "fra1", "address")``, ``("rules", 0)``."""

# All quantifiers are possessive, so that matching takes linear time.
_HEADER = re.compile(r"\s*+(\[\[?)([^\]]++)\]\]?\s*+(?:#.*)?$")
_PART = re.compile(r"""[\w-]++|"[^"]*+"|'[^']*+'""")
_ASSIGNMENT = re.compile(rf"\s*+((?:{_PART.pattern})(?:\s*+\.\s*+(?:{_PART.pattern}))*+)\s*+=")
_QUOTED = re.compile(r"""(["'])(.*?)\1""")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
_OPAQUE = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)|"(?:[^"\\\n]|\\.)*+"?'''
    r"""|'''(?:[^']|'(?!''))*+(?:'''|\Z)|'[^'\n]*+'?|#[^\n]*+""",
    re.DOTALL,
)
"""Strings and comments. Brackets and dots in them do not nest."""
_BRACKETS = re.compile(r"[\[{]++|[\]}]++")
_DOTTED = re.compile(r"[^\n=,\[\]{}]++")
DEEPEST = 64
"""The most levels of brackets or dots. The parser's time grows with their square."""


@dataclass(frozen=True)
class Document:
    """A TOML file: its data, and the line of each part."""

    file: str
    text: str = field(repr=False)
    data: dict[str, Any] = field(repr=False)
    secret: bool = False
    """Whether messages must not repeat its values."""

    def problem(
        self, place: Location, message: str, remedy: str = "", value: object = None
    ) -> Problem:
        """Return a problem on the line of *place*, or of *value* in a list at *place*."""
        message, remedy = visible(message, LONGEST_MESSAGE), visible(remedy, LONGEST_MESSAGE)
        return Problem(self.file, self.line(place, value), message, remedy)

    def line(self, place: Location, value: object = None) -> int:
        """Return the line, from 1, of *place*, or of the nearest table around it."""
        while place and place not in self._lines:
            place = place[:-1]
        line = self._lines.get(place, 1)
        return self._values(line).get(value, line) if isinstance(value, str) else line

    def _values(self, start: int) -> dict[str, int]:
        """Return the lines of the quoted values in the assignment that begins on line *start*."""
        if start not in self._quoted:
            lines: dict[str, int] = {}
            for number, text in enumerate(self._split[start - 1 :], start):
                if number > start and (_ASSIGNMENT.match(text) or _HEADER.match(text)):
                    break
                for value in _QUOTED.finditer(text):
                    lines.setdefault(value[2], number)
            self._quoted[start] = lines
        return self._quoted[start]

    @cached_property
    def _quoted(self) -> dict[int, dict[str, int]]:
        return {}

    @cached_property
    def _split(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _lines(self) -> dict[Location, int]:
        """The line of each table and field. tomllib has no positions, so the text is read again."""
        lines: dict[Location, int] = {}
        table: Location = ()
        repeated: Counter[Location] = Counter()
        for number, text in enumerate(self._split, 1):
            if header := _HEADER.match(text):
                table = _parts(header[2])
                if header[1] == "[[":
                    repeated[table] += 1
                    table = (*table, repeated[table] - 1)
                lines.setdefault(table, number)
            elif assignment := _ASSIGNMENT.match(text):
                lines.setdefault(table + _parts(assignment[1]), number)
        return lines


def read_document(path: Path) -> Document:
    """Return the TOML file at *path*; FleetError if it is missing or not TOML."""
    file = shown_path(path)
    try:
        return parse_document(file, files.decode_text(path, files.read_bytes(path)))
    except FileNotFoundError:
        raise _refusal(file, 0, "is missing", _missing(path)) from None
    except OSError as error:
        raise FleetError([problem_of(error, file)]) from None


def _missing(path: Path) -> str:
    """Return the remedy for a missing file. `ops init` would add the keys of its example."""
    others = ("hosts.toml", "keys.toml", "issued.toml")
    if any(files.exists(path.parent / name) for name in others if name != path.name):
        return f"get it back from git: `git restore {files.shown_path(path)}`"
    return "`ops init` writes a fleet folder"


def problem_of(error: OSError, file: str) -> Problem:
    """Return *error* as a problem of *file*."""
    return Problem(file, getattr(error, "line", 0), *files.reason(error))


def parse_document(file: str, text: str, *, secret: bool = False) -> Document:
    """Return *text* as a document; *file* is its name in messages. FleetError if it is not TOML."""
    _must_be_flat(file, text)
    try:
        return Document(file, text, tomllib.loads(text), secret)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(file, text, str(error)) from None
    except ValueError as error:  # a number of thousands of digits
        raise _refusal(file, 0, f"is not TOML: {error}") from None


def _must_be_flat(file: str, text: str) -> None:
    """Raise FleetError if *text* is nested so deeply that the parser would fail or take minutes."""
    bare = _OPAQUE.sub('""', text)
    dots = max((run[0].count(".") for run in _DOTTED.finditer(bare)), default=0)
    depth = deepest = 0
    for run in _BRACKETS.finditer(bare):
        depth += len(run[0]) if run[0][0] in "[{" else -len(run[0])
        deepest = max(depth, deepest)
    if max(dots, deepest) > DEEPEST:
        raise _refusal(file, 0, "is nested too deeply", f"write at most {DEEPEST} levels")


def _parts(dotted: str) -> Location:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _syntax(file: str, text: str, message: str) -> FleetError:
    if line := files.conflict_line(text.encode()):
        return FleetError([problem_of(files.conflict_error(file, line), file)])
    match = _AT_LINE.search(message)
    line = int(match[1]) if match and match[1] else text.count("\n") + 1
    if twice := _TWICE.match(message):
        return _refusal(
            file, line, f"[{'.'.join(map(str, _parts(twice[1])))}] is there twice", _ONCE
        )
    return _refusal(file, line, f"is not TOML: {_AT_LINE.sub('', message).strip()}")


_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_ONCE = "merge the two, or give one another name"


def _refusal(file: str, line: int, message: str, remedy: str = "") -> FleetError:
    return FleetError([Problem(file, line, message, remedy)])
